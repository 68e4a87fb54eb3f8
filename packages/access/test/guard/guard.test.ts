import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import {
  Access,
  type AccessOptions,
  type AccessRefusal,
  AccessRefused,
  Approvals,
  type Guarded,
  type GuardedActOptions,
  guard,
  type Permit,
} from '@postern/access'
import { ConfigError, type Json, type Principal, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf } from '../support/exchange.ts'
import { Log } from '../support/log.ts'
import { account, order, shopPolicies } from '../support/shop.ts'
import { PlayedStepUp } from '../support/step-up.ts'

const FINN: Principal = {
  kind: 'user',
  id: 'finn',
  tenant: 'north',
  roles: ['finance'],
  scopes: ['invoices'],
}
const OLGA: Principal = { kind: 'user', id: 'olga', tenant: 'north', roles: ['owner'] }
const NOBODY: Principal = { kind: 'anonymous', id: '' }
const MINUTE = 60_000

type Input = { readonly before: string }

interface Setting {
  readonly access: Access
  readonly approvals: Approvals
  readonly stepUp: PlayedStepUp
  readonly log: Log
  readonly clock: VirtualClock
  readonly permits: Permit[]
  purge(options: GuardedActOptions<Input>): Guarded<Input, string>
}

function setting(t: TestContext, options: Partial<AccessOptions> = {}): Setting {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const [clock, log, stepUp] = [new VirtualClock(), new Log(), new PlayedStepUp()]
  const approvals = new Approvals({ database, clock, recorder: log })
  const access = new Access({ approvals, stepUp, recorder: log, clock, ...options })
  const permits: Permit[] = []
  return {
    ...{ access, approvals, stepUp, log, clock, permits },
    purge: rule =>
      guard(access, 'invoice.purge', rule, (_input, permit) => {
        permits.push(permit)
        return 'purged'
      }),
  }
}

async function refusal(work: Promise<unknown>): Promise<AccessRefusal> {
  const error = await work.then(
    () => assert.fail('it was permitted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AccessRefused, String(error))
  return error.refusal
}

const INPUT = { before: '2020-01-01' }

const requirements: readonly (readonly [
  string,
  GuardedActOptions<Input>,
  Principal,
  string,
  number,
  RegExp,
])[] = [
  ['nobody', { require: {} }, NOBODY, 'sign-in', 401, /Sign in/],
  ['nobody, where consent is needed', { approve: { by: 'role:owner' } }, NOBODY, 'sign-in', 401, /Sign in/],
  [
    'a caller without the role',
    { require: { role: ['owner', 'admin'] } },
    FINN,
    'role',
    403,
    /role owner or admin/,
  ],
  [
    'a caller without a scope',
    { require: { scope: ['invoices', 'purge'] } },
    FINN,
    'scope',
    403,
    /scope purge/,
  ],
  ['a caller of another kind', { require: { kind: 'service' } }, FINN, 'kind', 403, /service/],
  [
    'one who acts for another',
    { require: { impersonation: 'refuse' } },
    { ...FINN, actor: 'olga' },
    'impersonation',
    403,
    /as yourself/,
  ],
]
for (const [name, rule, principal, why, status, words] of requirements)
  test(`refuses ${name}, and says what is missing and what to do`, async t => {
    const { purge, permits, log } = setting(t)
    const refused = await refusal(purge(rule)(INPUT, { principal }))
    assert.deepEqual([refused.why, refused.status], [why, status])
    assert.match(`${refused.message} ${refused.next}`, words)
    assert.deepEqual(permits, [])
    assert.deepEqual(log.types, ['act.refused'])
  })

test('challenges follow RFC 6750 and RFC 9470', async t => {
  const { access, purge } = setting(t)
  const scope = await refusal(
    purge({ require: { scope: ['invoices', 'purge'] } })(INPUT, { principal: FINN }),
  )
  assert.deepEqual(scope.headers, [
    'WWW-Authenticate',
    'Bearer error="insufficient_scope", scope="invoices purge"',
  ])
  const plain = new Access()
  const old = guard(plain, 'a', { require: { stepUp: '10m' } }, () => 'done')
  const stale = await refusal(
    old(null, { principal: { ...FINN, authenticatedAt: Date.now() - 11 * MINUTE } }),
  )
  assert.deepEqual(stale.headers, [
    'WWW-Authenticate',
    'Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="600"',
  ])
  assert.equal(await old(null, { principal: { ...FINN, authenticatedAt: Date.now() - 9 * MINUTE } }), 'done')
  assert.match(stale.message, /been a while/)
  const { authenticatedAt: _, ...unknown } = FINN
  const untimed = await refusal(old(null, { principal: unknown }))
  assert.match(`${untimed.message} ${untimed.next}`, /does not say when.*auth_time/)
  assert.deepEqual(untimed.headers, stale.headers)
  for (const authenticatedAt of [undefined, Date.now() + 5 * MINUTE, Number.NaN])
    assert.equal(
      (
        await refusal(
          old(null, { principal: { ...FINN, ...(authenticatedAt !== undefined && { authenticatedAt }) } }),
        )
      ).status,
      401,
    )
  assert.ok(access)
})

test('an act is in the log before it is done, and its end after', async t => {
  const { access, log } = setting(t)
  const seen: (readonly string[])[] = []
  const work = guard(access, 'x', { require: {} }, () => void seen.push([...log.types]))
  await work({ a: 1 }, { principal: FINN })
  assert.deepEqual(seen, [['act.permitted']])
  assert.deepEqual(log.types, ['act.permitted', 'act.done'])
  assert.deepEqual(log.events[0]?.data, { actor: 'user:finn', arguments: { a: 1 } })
  const failing = guard(access, 'x', { require: {} }, () => Promise.reject(new Error('broken')))
  await assert.rejects(failing(null, { principal: FINN }), /broken/)
  assert.equal(log.types.at(-1), 'act.failed')
  log.isBroken = true
  await assert.rejects(work(null, { principal: FINN }), /cannot be written/)
  assert.equal(seen.length, 1)
  const inTransaction = guard(
    access,
    'x',
    { require: {}, audit: 'with' },
    (_input, permit) => permit.event.type,
  )
  assert.equal(await inTransaction(null, { principal: FINN }), 'act.permitted')
})

test('a fresh proof is asked for, through whoever takes proofs', async t => {
  const { purge, stepUp, clock } = setting(t)
  const work = purge({ require: { role: 'finance', stepUp: '10m' } })
  const exchange = exchangeOf({ principal: FINN })
  stepUp.provenAt = exchange.time - 11 * MINUTE
  const refused = await refusal(work(INPUT, { principal: FINN, exchange }))
  assert.deepEqual([refused.why, refused.status, refused.stepUp], ['step-up', 401, '/.postern/step-up'])
  assert.deepEqual(refused.headers, [
    'WWW-Authenticate',
    'Bearer error="insufficient_user_authentication", max_age="600"',
  ])
  stepUp.provenAt = clock.now()
  assert.equal(await work(INPUT, { principal: FINN, exchange }), 'purged')
})

test('a proof bound to the act is good for this act, once', async t => {
  const { purge, stepUp, permits } = setting(t)
  const work = purge({ require: { stepUp: 'act' } })
  const exchange = exchangeOf({ principal: FINN })
  const call = (before: string): Promise<string> => work({ before }, { principal: FINN, exchange })
  assert.equal((await refusal(call('2020-01-01'))).why, 'step-up')
  const act = stepUp.demands.at(-1)?.act
  assert.deepEqual(act, {
    actor: 'user:finn',
    action: 'invoice.purge',
    resource: '',
    arguments: { before: '2020-01-01' },
  })
  assert.ok(act)
  stepUp.confirm(act)
  assert.equal((await refusal(call('2021-01-01'))).why, 'step-up')
  assert.equal(await call('2020-01-01'), 'purged')
  assert.deepEqual(permits[0]?.event.data?.['confirmation'], { digest: 'd', assertion: 'a' })
  assert.equal((await refusal(call('2020-01-01'))).why, 'step-up')
  assert.equal((await refusal(work(INPUT, { principal: FINN }))).why, 'step-up')
})

test('a second person is asked once, shown what it would do, and their consent is used once', async t => {
  const signed: string[] = []
  const { purge, approvals, permits, log } = setting(t, {
    signGrant: grant => {
      signed.push(grant.act)
      return `token for ${grant.rows}`
    },
  })
  let previews = 0
  const work = purge({
    require: { role: 'finance' },
    approve: { by: 'role:owner', distinct: true, ttl: '1h', rows: 5_000 },
    budget: 'invoices.delete',
    preview: () => {
      previews++
      return { rows: { invoices: 4_812 }, sample: [{ id: 1 }] }
    },
  })
  const call = (): Promise<string> => work(INPUT, { principal: FINN, reason: 'year end' })
  const first = await refusal(call())
  assert.equal(first.status, 403)
  const id = first.approval?.id ?? ''
  assert.deepEqual(first.headers, ['Location', `/.postern/approvals/${id}`, 'Postern-Approval', id])
  assert.match(first.message, /the role owner/)
  assert.match(first.next, /send the same request again/)
  assert.equal((await refusal(call())).approval?.id, id)
  assert.equal(previews, 1)
  assert.deepEqual((await approvals.get(id, OLGA)).preview.rows, { invoices: 4_812 })
  await approvals.decide(id, OLGA, 'approve')
  assert.equal(await call(), 'purged')
  assert.equal(permits[0]?.grantToken, 'token for 5000')
  assert.deepEqual(permits[0]?.grant?.budgets, ['invoices.delete'])
  assert.deepEqual(signed, [permits[0]?.grant?.act])
  assert.equal(log.events.find(({ type }) => type === 'act.permitted')?.data?.['approvedBy'], 'user:olga')
  const next = await refusal(call())
  assert.deepEqual([next.status, next.approval?.id === id], [403, false])
})

test('a consent for one thing does nothing else', async t => {
  const { purge, approvals } = setting(t)
  const work = purge({ approve: { by: 'role:owner' } })
  const { approval } = await refusal(work(INPUT, { principal: FINN }))
  await approvals.decide(approval?.id ?? '', OLGA, 'approve')
  assert.equal((await refusal(work({ before: '2026-01-01' }, { principal: FINN }))).why, 'approval-pending')
  assert.equal((await refusal(work(INPUT, { principal: { ...FINN, id: 'fred' } }))).why, 'approval-pending')
  assert.equal(
    (await refusal(work(INPUT, { principal: { ...FINN, actor: 'mallory' } }))).why,
    'approval-pending',
  )
  assert.equal(await work(INPUT, { principal: FINN }), 'purged')
})

test('a denial says so, and for how long', async t => {
  const { purge, approvals, clock } = setting(t)
  const work = purge({ approve: { by: 'role:owner' } })
  const { approval } = await refusal(work(INPUT, { principal: FINN }))
  await approvals.decide(approval?.id ?? '', OLGA, 'deny', 'not before the audit')
  const denied = await refusal(work(INPUT, { principal: FINN }))
  assert.deepEqual([denied.why, denied.status], ['approval-denied', 403])
  assert.match(denied.message, /not before the audit/)
  clock.advance(16 * MINUTE)
  assert.equal((await refusal(work(INPUT, { principal: FINN }))).why, 'approval-pending')
})

test('of twenty calls with one consent at once, one does its work', async t => {
  const { purge, approvals, permits } = setting(t)
  const work = purge({ approve: { by: 'role:owner' } })
  const { approval } = await refusal(work(INPUT, { principal: FINN }))
  await approvals.decide(approval?.id ?? '', OLGA, 'approve')
  await Promise.allSettled(Array.from({ length: 20 }, () => work(INPUT, { principal: FINN })))
  assert.equal(permits.length, 1)
})

test('a proof is not used up while a consent is still missing, nor a consent while a proof is', async t => {
  const { purge, approvals, stepUp } = setting(t)
  const work = purge({ require: { stepUp: 'act' }, approve: { by: 'role:owner' } })
  const call = (): Promise<string> =>
    work(INPUT, { principal: FINN, exchange: exchangeOf({ principal: FINN }) })
  const pending = await refusal(call())
  assert.equal(pending.why, 'approval-pending')
  assert.equal(stepUp.demands.length, 0)
  await approvals.decide(pending.approval?.id ?? '', OLGA, 'approve')
  assert.equal((await refusal(call())).why, 'step-up')
  const act = stepUp.demands.at(-1)?.act
  assert.ok(act)
  stepUp.confirm(act)
  assert.equal(await call(), 'purged')
})

test('policies decide about what was looked up, not about what the caller says of it', async t => {
  const { access, log } = setting(t, { policies: shopPolicies })
  const rows = new Map([
    ['1', { id: 1, customer: 'finn', status: 'open' }],
    ['2', { id: 2, customer: 'olga', status: 'open' }],
  ])
  const read = guard(
    access,
    'order.read',
    {
      resource: (input: { id: string; customer?: string }) => ({
        type: 'order',
        fields: rows.get(input.id) ?? {},
      }),
    },
    ({ id }) => rows.get(id),
  )
  assert.deepEqual(await read({ id: '1' }, { principal: FINN }), rows.get('1'))
  const foreign = await refusal(read({ id: '2', customer: 'finn' }, { principal: FINN }))
  const missing = await refusal(read({ id: '3' }, { principal: FINN }))
  assert.deepEqual([foreign.why, foreign.status], ['policy', 403])
  assert.deepEqual({ ...foreign }, { ...missing })
  assert.equal(log.events.at(-1)?.data?.['policy'], 'default')
  assert.equal(
    log.events.find(({ type }) => type === 'act.permitted')?.data?.['policy'],
    'customers read their own orders',
  )
  assert.ok(account && order)
})

test('an input that is not JSON is refused unless somebody says what of it counts', async t => {
  const { access, permits } = setting(t)
  const work = guard(access, 'x', { require: {} }, (_input: unknown, permit) => void permits.push(permit))
  const inJson = [new Map([['a', 1]]), new Set([1]), /a/, new ArrayBuffer(1), Number.NaN, new Error('a')]
  for (const input of [{ run: () => 1 }, { big: 1n }, { a: undefined }, ...inJson.map(ids => ({ ids }))])
    await assert.rejects(work(input, { principal: FINN }), TypeError)
  class Year {
    readonly #year: number
    constructor(year: number) {
      this.#year = year
    }
    get year(): number {
      return this.#year
    }
  }
  const form = new FormData()
  form.append('year', '2019')
  const extended = Object.assign(new URLSearchParams('year=2019'), { x: 1 })
  const hidden = [
    form,
    extended,
    new URLSearchParams('year=2019'),
    new Headers({ year: '2019' }),
    new Year(2019),
  ]
  for (const input of [...hidden, ...hidden.map(year => ({ year }))])
    await assert.rejects(work(input, { principal: FINN }), TypeError)
  const elsewhere: unknown = runInNewContext('({ filter: {}, list: [] })')
  for (const input of [{}, [], Object.create(null), elsewhere, new URL('http://x.example/?year=2019')])
    await work(input, { principal: FINN })
  const told = guard(
    access,
    'x',
    { require: {}, arguments: (input: { big: bigint }): Json => String(input.big) },
    (_input, permit) => permit.act.arguments,
  )
  assert.equal(await told({ big: 1n }, { principal: FINN }), '1')
})

const mistakes: readonly (readonly [string, object, RegExp])[] = [
  ['an unknown key', { requires: { role: 'x' } }, /requires: there is no such key/],
  ['an unknown requirement', { require: { roles: 'x' } }, /require\.roles/],
  ['no role at all', { require: { role: [] } }, /nobody could pass/],
  ['a role that could write a header', { require: { scope: 'a" b' } }, /no spaces, quotes/],
  ['an unknown kind', { require: { kind: 'admin' } }, /is not a kind of principal/],
  ['an invalid duration', { require: { stepUp: 'soon' } }, /stepUp: "soon" is not a duration/],
  ['an approval by nobody', { approve: { by: 'owner-role' } }, /approve\.by/],
  ["an approval of one's own", { approve: { by: 'role:a', distinct: false } }, /distinct/],
  ['a wait without end', { approve: { by: 'role:a', ttl: '30d' } }, /ttl/],
]
for (const [name, rule, message] of mistakes)
  test(`refuses a rule with ${name}`, t => {
    const { purge } = setting(t)
    assert.throws(
      () => purge(rule),
      (error: unknown) => error instanceof ConfigError && message.test(error.message),
    )
  })

test('a rule that needs what is not there is refused at once', () => {
  const make = (rule: GuardedActOptions<Input>) => () => guard(new Access(), 'x', rule, () => 1)
  assert.throws(make({ approve: { by: 'role:owner' } }), /no store for approvals/)
  assert.throws(make({ require: { stepUp: 'act' } }), /bound to an act/)
})
