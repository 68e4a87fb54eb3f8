import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkedPrincipal } from '../../src/exchange/principal.ts'
import {
  ALLOW,
  claimedCredential,
  type Decision,
  Engine,
  type Exchange,
  type Guard,
  type Identify,
  identifyGuard,
  type Principal,
  type Refusal,
} from '../../src/index.ts'
import { exchangeOf, source } from '../exchanges.ts'

const ANN: Principal = { kind: 'user', id: 'ann', tenant: 'acme' }

/** As a row of a database has it. */
const NULLS = { kind: 'user', id: 'ann', roles: null, scopes: null, authenticatedAt: null }

describe('a principal that an application names', () => {
  test('is taken as it is', () => {
    for (const said of [ANN, { kind: 'service', id: 'ci' }, { kind: 'apiKey', id: 'x'.repeat(256) }, NULLS])
      assert.equal(checkedPrincipal(said), said)
  })

  test('is anonymous where nobody is named', () => {
    for (const said of [undefined, null, { kind: 'anonymous', id: 'ignored' }])
      assert.deepEqual(checkedPrincipal(said), { kind: 'anonymous', id: '' })
  })

  test('is refused by the field that cannot be used, without its value', () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      ['ann', /^a principal is an object, not a string$/],
      [{ kind: 'root', id: 'secret' }, /^kind of a principal must be /],
      [{ kind: 'user' }, /^id of a principal /],
      // As a text it would have every role and scope that is a part of it.
      [{ kind: 'user', id: 'ann', roles: 'superadmin' }, /^roles of a principal must be a list of texts/],
      [{ kind: 'user', id: 'ann', roles: new Set(['admin']) }, /^roles of a principal /],
      [{ kind: 'user', id: 'ann', roles: [{ name: 'admin' }] }, /^roles of a principal /],
      [{ kind: 'user', id: 'ann', scopes: 'orders:read-own' }, /^scopes of a principal /],
      [{ kind: 'user', id: 'ann', amr: 'pwd' }, /^amr of a principal /],
      [{ kind: 'user', id: 'ann', authenticatedAt: new Date(0) }, /^authenticatedAt of a principal /],
      [{ kind: 'user', id: 'ann', authenticatedAt: Number.NaN }, /^authenticatedAt of a principal /],
      [{ kind: 'user', id: '' }, /^id of a principal /],
      [{ kind: 'user', id: 7 }, /^id of a principal /],
      [{ kind: 'user', id: 'x'.repeat(257) }, /^id of a principal /],
      [{ kind: 'user', id: 'ann\ud800' }, /^id of a principal /],
      [{ kind: 'user', id: 'ann\0' }, /^id of a principal /],
      [{ kind: 'user', id: 'ann', tenant: '\udc00shop' }, /^tenant of a principal /],
      [{ kind: 'user', id: 'ann', tenant: '' }, /^tenant of a principal /],
      [{ kind: 'user', id: 'ann', tenant: null }, /^tenant of a principal /],
    ]
    for (const [said, message] of cases)
      assert.throws(
        () => checkedPrincipal(said),
        (error: Error) =>
          error instanceof TypeError && message.test(error.message) && !/secret/.test(error.message),
      )
  })
})

describe('what a principal has without effect', () => {
  const warningsOf = async (work: () => void): Promise<readonly string[]> => {
    const warnings: string[] = []
    const take = (warning: Error & { readonly code?: string }): void => {
      if (warning.code === 'POSTERN_PRINCIPAL') warnings.push(warning.message)
    }
    process.on('warning', take)
    work()
    await new Promise(setImmediate)
    process.off('warning', take)
    return warnings
  }

  for (const [wrong, right, value] of [
    ['role', 'roles', 'secret'],
    ['scope', 'scopes', 'secret'],
    ['permissions', 'scopes', ['secret']],
    ['tenantId', 'tenant', 'secret'],
    ['tenant_id', 'tenant', 7],
    ['auth_time', 'authenticatedAt', 1_700_000_000],
  ] as const)
    test(`${wrong} is named once, with ${right}, where that is missing`, async () => {
      const ann = { kind: 'user', id: 'ann', [wrong]: value }
      const given = { ...ann, [right]: right === 'tenant' ? 'acme' : right === 'authenticatedAt' ? 5 : [] }
      assert.deepEqual(await warningsOf(() => checkedPrincipal(given)), [])
      const warnings = await warningsOf(() => {
        for (let i = 0; i < 3; i++) assert.equal(checkedPrincipal(ann), ann)
      })
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', new RegExp(`^${wrong} of a principal has no effect: write ${right},`))
      assert.doesNotMatch(warnings[0] ?? '', /secret/)
    })

  test('a time in seconds is named, and one in milliseconds is not', async () => {
    const at = (authenticatedAt: number) => () =>
      void checkedPrincipal({ kind: 'user', id: 'ann', authenticatedAt })
    for (const fine of [0, 60_000, Date.UTC(2000, 0), Date.now(), Date.UTC(2100, 0)])
      assert.deepEqual(await warningsOf(at(fine)), [])
    const warnings = await warningsOf(at(Math.floor(Date.now() / 1_000)))
    assert.match(warnings.join(), /authenticatedAt of a principal is in seconds.*milliseconds/)
  })
})

async function asked(
  identify: unknown,
  options: Parameters<typeof identifyGuard>[1] = {},
): Promise<[Decision, Exchange]> {
  const engine = new Engine({ guards: [identifyGuard(identify as Identify, options)], onError: () => {} })
  const exchange = engine.open(source())
  return [await engine.decide(exchange), exchange]
}

describe('the guard that identifies', () => {
  test('fills the principal, at once or later', async () => {
    for (const identify of [
      () => ANN,
      async () => ANN,
      // biome-ignore lint/suspicious/noThenProperty: a thenable that is not a promise is the case
      () => ({ then: (done: (said: Principal) => void) => done(ANN) }),
    ]) {
      const [decision, exchange] = await asked(identify)
      assert.equal(decision, ALLOW)
      assert.equal(exchange.principal, ANN)
    }
  })

  test('leaves a request anonymous that nobody sent', async () => {
    const [decision, exchange] = await asked(() => undefined)
    assert.equal(decision, ALLOW)
    assert.equal(exchange.principal.kind, 'anonymous')
  })

  test('makes no promise where the application makes none', () => {
    const guard = identifyGuard(() => ANN)
    assert.equal(guard.decide(exchangeOf()), ALLOW)
  })

  const failing: readonly unknown[] = [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
    () => 'ann',
    async () => ({ kind: 'user' }),
  ]

  test('lets a request go on as anonymous when the application fails', async () => {
    for (const identify of failing) {
      const [decision, exchange] = await asked(identify)
      assert.equal(decision.effect, 'allow')
      assert.equal(exchange.principal.id, '')
    }
  })

  test('answers 503 then where the application says refuse', async () => {
    for (const identify of failing) {
      const [decision] = await asked(identify, { onFailure: 'refuse' })
      assert.equal(decision.effect === 'deny' && decision.status, 503)
    }
  })

  test('waits until its deadline and no longer, and ignores what comes later', async () => {
    let timeIsUp = (): void => {}
    let late = (_: Principal): void => {}
    let waited = 0
    const timers = {
      after: (ms: number, call: () => void) => {
        waited = ms
        timeIsUp = call
        return () => {}
      },
    }
    const errors: unknown[] = []
    const engine = new Engine({
      guards: [identifyGuard(() => new Promise(resolve => (late = resolve)), { deadline: '200ms', timers })],
      onError: (_part, error) => errors.push(error),
    })
    const exchange = engine.open(source())
    const decided = engine.decide(exchange)
    timeIsUp()
    assert.equal((await decided).effect, 'allow')
    late(ANN)
    assert.equal(waited, 200)
    assert.equal(exchange.principal.id, '')
    assert.match(String(errors), /did not answer within 200 ms/)
  })

  test('takes its timer down when the application answers in time', async () => {
    let cancelled = 0
    await asked(async () => ANN, { timers: { after: () => () => void cancelled++ } })
    assert.equal(cancelled, 1)
  })
})

describe('an application that says later who acts', () => {
  const refusal: Refusal = {
    effect: 'deny',
    guard: 'bans',
    status: 403,
    reasons: [{ rule: 'bans/ann', message: 'No.' }],
  }
  const banned = (more: Partial<Guard> = {}): Guard => ({
    name: 'bans',
    failure: 'closed',
    decide: ({ principal }) => (principal.id === 'ann' ? refusal : ALLOW),
    ...more,
  })

  test('has the guards decide that concern principals', async () => {
    const engine = new Engine({ identified: [banned()] })
    const exchange = engine.open(source())
    await engine.decide(exchange)
    assert.equal((await engine.identify(exchange, { kind: 'user', id: 'bob' })).effect, 'allow')
    assert.equal(await engine.identify(exchange, ANN), refusal)
    assert.equal(exchange.decision, refusal)
    assert.equal(exchange.principal, ANN)
  })

  test('is not asked again about the same principal', async () => {
    let asked = 0
    const counting: Guard = {
      name: 'counting',
      failure: 'closed',
      decide: () => {
        asked++
        return ALLOW
      },
    }
    const engine = new Engine({ identified: [counting] })
    const exchange = engine.open(source())
    await engine.decide(exchange)
    await engine.identify(exchange, ANN)
    await engine.identify(exchange, { ...ANN })
    assert.equal(asked, 1)
    await engine.identify(exchange, { ...ANN, tenant: 'other' })
    await engine.identify(exchange, { ...ANN, tenant: 'other', kind: 'service' })
    assert.equal(asked, 3)
  })

  test('decides nothing for nobody, nor once the exchange has ended', async () => {
    const engine = new Engine({ identified: [banned({ decide: () => refusal })] })
    const exchange = engine.open(source())
    await engine.decide(exchange)
    assert.equal((await engine.identify(exchange, undefined)).effect, 'allow')
    engine.settle(exchange, { status: 200, duration: 1, bytes: 0, aborted: false })
    assert.equal((await engine.identify(exchange, ANN)).effect, 'allow')
  })

  test('only notes what is refused in observe mode, of the engine or of the guard', async () => {
    for (const engine of [
      new Engine({ identified: [banned()], mode: 'observe' }),
      new Engine({ identified: [banned({ mode: 'observe' })] }),
    ]) {
      const exchange = engine.open(source())
      await engine.decide(exchange)
      assert.equal((await engine.identify(exchange, ANN)).effect, 'allow')
      assert.equal(exchange.observed, refusal)
    }
  })

  test('learns that what it named is not a principal', async () => {
    const engine = new Engine({ identified: [] })
    await assert.rejects(engine.identify(engine.open(source()), { kind: 'user' } as Principal), TypeError)
  })
})

describe('the credential that a request claims', () => {
  const claimed = (...headers: readonly string[]): string | undefined =>
    claimedCredential(exchangeOf({ headers }))?.kind

  test('is Authorization, before a key, before a cookie', () => {
    const cookie = ['Cookie', 'sid=abcdefgh12']
    const key = ['X-Api-Key', 'k1']
    assert.equal(claimed(...cookie, ...key, 'Authorization', 'Bearer x'), 'authorization')
    assert.equal(claimed(...cookie, ...key), 'key')
    assert.equal(claimed(...cookie, 'Private-Token', 'k1'), 'key')
    assert.equal(claimed(...cookie), 'session')
  })

  test('is a cookie that looks like that of a session, wherever it stands', () => {
    for (const cookie of [
      'theme=dark; connect.sid=s%3Aabcdefgh',
      'PHPSESSID=0123456789',
      'access_token=abcdefghij',
    ])
      assert.equal(claimed('Cookie', cookie), 'session', cookie)
    for (const cookie of [
      'theme=dark',
      'sid=short',
      'page=sid-and-more-text',
      `${'a=b; '.repeat(900)}sid=abcdefgh12`,
    ])
      assert.equal(claimed('Cookie', cookie), undefined, cookie.slice(0, 40))
    assert.equal(claimed(), undefined)
    assert.equal(claimed('X-Request', 'sid=abcdefgh12'), undefined)
  })

  test('has a mark that tells two apart and stays the same for one', () => {
    const mark = (value: string): number | undefined =>
      claimedCredential(exchangeOf({ headers: ['Authorization', value] }))?.mark
    assert.equal(mark('Bearer a'), mark('Bearer a'))
    assert.notEqual(mark('Bearer a'), mark('Bearer b'))
    assert.notEqual(mark('Bearer ab'), mark('Bearer ba'))
  })
})
