import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { CidrSet, Engine, type Exchange, type Outcome, type Refusal, VirtualClock } from '@postern/core'
import { RefusalEvents } from '../src/answer/refusal-events.ts'
import {
  address,
  body,
  combined,
  concurrency,
  gcra,
  header,
  type Key,
  type Limit,
  memoryStore,
  network,
  type Rule,
  type ThrottleOptions,
  tenant,
  throttle,
  window,
} from '../src/index.ts'
import { boundedKey, writtenKey } from '../src/limit/key.ts'
import { AdaptiveLimit } from '../src/load/adaptive-limit.ts'
import { LoadShedding, overloadRefusal } from '../src/load/load-shedding.ts'
import { ENDED, engineWith, open, type RequestShape } from './exchanges.ts'

const engine = new Engine({ trustedProxies: CidrSet.parse([]) })
const exchangeOf = (shape: RequestShape = {}): Exchange => open(engine, shape)

describe('the key of a request', () => {
  test('is the whole IPv4 address, or the network that a customer holds', () => {
    const of = (key: Key, peer: string) => key(exchangeOf({ peer }))
    assert.equal(of(address(), '192.0.2.77'), '192.0.2.77')
    assert.equal(of(address(), '2001:db8:1:2ff::1'), of(address(), '2001:db8:1:200::2'))
    assert.notEqual(of(address(), '2001:db8:1:2ff::1'), of(address(), '2001:db8:1:300::1'))
    assert.equal(of(address({ v4: 24 }), '192.0.2.77'), of(address({ v4: 24 }), '192.0.2.1'))
    assert.equal(of(network(), '192.0.2.77'), of(network(), '192.0.2.1'))
    assert.notEqual(of(network(), '192.0.2.77'), of(network(), '192.0.3.77'))
    assert.equal(of(network(), '2001:db8:1:2::1'), of(network(), '2001:db8:1:ffff::1'))
    assert.notEqual(of(network(), '2001:db8:1::1'), of(network(), '2001:db8:2::1'))
  })

  test('stays right for a caller after thousands of others', () => {
    const key = network()
    const first = key(exchangeOf({ peer: '192.0.2.1' }))
    for (let i = 0; i < 8_500; i++) key(exchangeOf({ peer: `10.${i >> 8}.${i & 255}.1` }))
    assert.equal(key(exchangeOf({ peer: '192.0.2.200' })), first)
  })

  test('in a header that was sent in several lines is the one of all who leave it out', () => {
    const key = header('X-Shop')
    assert.equal(key(exchangeOf({ headers: ['x-shop', 'a'] })), 'a')
    assert.equal(key(exchangeOf({ headers: ['x-shop', 'a', 'X-SHOP', '7'] })), '')
    assert.equal(key(exchangeOf()), '')
  })

  test('of several parts applies when all of them do', async () => {
    assert.equal(combined(address(), tenant())(exchangeOf()), undefined)
    assert.equal(combined(address(), () => 'x')(exchangeOf()), '9:192.0.2.1 1:x')
    const later: Key = async () => 'later'
    assert.equal(await combined(later, address())(exchangeOf()), '5:later 9:192.0.2.1')
    assert.equal(await combined(later, tenant())(exchangeOf()), undefined)
    assert.equal(combined(address(), () => 'x').stage, 'identified')
    assert.equal(combined(address(), network()).stage, 'arrival')
  })

  test('in a body that is longer than guards read is the one of all such bodies', async () => {
    const key = body('email')
    const read = async (text: string, complete = true) => {
      const exchange = exchangeOf({ method: 'POST', body: text })
      if (!complete)
        exchange.readBody = async () => ({ bytes: new TextEncoder().encode(text), complete: false })
      return key(exchange)
    }
    assert.equal(await read('{"email":"a@b.example"}'), 'a@b.example')
    assert.equal(await read('{"email":"a@b.example"}', false), '')
    assert.equal(await read('{"email":7}'), '7')
    assert.equal(await read('{"email":{"x":1}}'), '')
    assert.equal(key(exchangeOf({ method: 'GET' })), undefined)
    const deep = body('a.b.c.d.e.f.g.h.i.j')
    const nested = '{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"eight deep"}}}}}}}}'
    assert.equal(await deep(exchangeOf({ method: 'POST', body: nested })), 'eight deep')
  })

  test('in a body that a backend may read otherwise than we do is the one of all such bodies', async () => {
    const FORM = 'application/x-www-form-urlencoded'
    const keyOf = (type: string, text: string | Uint8Array, coding?: string, field = 'email') =>
      body(field)(
        exchangeOf({
          method: 'POST',
          headers: ['Content-Type', type, ...(coding === undefined ? [] : ['Content-Encoding', coding])],
          body: text,
        }),
      )
    for (const text of [
      'email=1@b.example&email=victim@b.example',
      'email=1@b.example&Email=victim@b.example',
      'email=1@b.example&email[]=victim@b.example',
      'email=1@b.example&%65mail=victim@b.example',
    ])
      assert.equal(await keyOf(FORM, text), '', text)
    assert.equal(await keyOf('application/json', '{"email":"1@b.example","Email":"victim@b.example"}'), '')
    assert.equal(await keyOf('application/json', '{"Email":"A@b.example"}'), 'a@b.example')
    assert.equal(await keyOf(FORM, 'email=A%40b.example&email=a%40B.example+'), 'a@b.example')
    assert.equal(await keyOf(FORM, 'user[email]=a%40b.example', undefined, 'user.email'), 'a@b.example')
    const part = '--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nA@b.example\r\n'
    assert.equal(await keyOf('multipart/form-data; boundary=x', `${part}--x--\r\n`), 'a@b.example')
    const other = part.replace('A@', 'victim@')
    assert.equal(await keyOf('multipart/form-data; boundary=x', `${part}${other}--x--\r\n`), '')
    const json = Buffer.from('{"email":"a@b.example"}')
    assert.equal(await keyOf('application/json', gzipSync(json), 'gzip'), 'a@b.example')
    assert.equal(await keyOf('application/json', json, 'unknown'), '')
    const twice = '{"email":"victim@b.example","em\\u0061il":"1@b.example"}'
    assert.equal(await keyOf('application/json', twice), '')
  })

  test('in a body is the same for all spellings that a database may find the same account by', async () => {
    const keyOf = (email: string) =>
      body('email')(exchangeOf({ method: 'POST', body: JSON.stringify({ email }) }))
    for (const [victim, spellings] of [
      [
        'alice@b.example',
        [
          'ALICE@b.example',
          ' alice@b.example ',
          'ａlice@b.example',
          'álice@b.example',
          'a\u0301lice@b.example',
          'al\u00adice@b.example',
          'alice\u200b@b.example',
          '\u2066alice@b.example\u2069',
          'alice@b.example\u0000',
        ],
      ],
      ['strasse', ['straße', 'STRASSE', 'STRAẞE']],
      ['oeuvre', ['œuvre', 'ŒUVRE']],
      ['łukasz', ['Lukasz', 'ŁUKASZ']],
    ] as const)
      for (const spelling of spellings)
        assert.equal(await keyOf(spelling), await keyOf(victim), JSON.stringify(spelling))
    assert.notEqual(await keyOf('alice@b.example'), await keyOf('alice@c.example'))
    // What no account is called stays what it is: a token, a query.
    assert.notEqual(await keyOf('x'.repeat(2_000)), await keyOf('x'.repeat(2_001)))
    assert.equal(await keyOf(`alice${' '.repeat(2_000)}`), 'alice')
    assert.equal(await keyOf(`alice${'\u200b'.repeat(2_000)}`), 'alice')
  })

  test('in a body is also read from the query, which many backends take for the same field', async () => {
    const keyOf = (target: string, text?: string) =>
      body('email')(exchangeOf({ method: 'POST', target, ...(text !== undefined && { body: text }) }))
    assert.equal(keyOf('/login?email=Victim%40b.example&password=x'), 'victim@b.example')
    assert.equal(keyOf('/login?email=a%40b.example&email=victim%40b.example'), '')
    assert.equal(keyOf('/login?next=/'), undefined)
    assert.equal(await keyOf('/login?email=victim%40b.example', '{"email":"1@b.example"}'), '')
    assert.equal(await keyOf('/login?email=A%40b.example', '{"email":"a@b.example"}'), 'a@b.example')
    assert.equal(await keyOf('/login?email=victim%40b.example', '{"password":"x"}'), 'victim@b.example')
  })

  test('is kept up to 256 characters, and written down only where it holds no secret', () => {
    const longest = 'x'.repeat(256)
    assert.equal(boundedKey(longest), longest)
    assert.match(boundedKey(`${longest}x`), /^sha256-[\w-]{43}$/)
    for (const kind of ['address', 'network', 'principal', 'tenant', 'apiKey', 'route'] as const)
      assert.equal(writtenKey(kind, 'value'), 'value')
    for (const kind of ['header', 'body', 'combined', 'custom'] as const)
      assert.match(writtenKey(kind, 'value'), /^digest-[\w-]{22}$/)
  })
})

describe('the sentence of a refusal', () => {
  async function refusalOf(limit: Rule, more: Partial<Limit> = {}, advance = 0): Promise<Refusal> {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 64 }),
      limits: [{ name: 'address', limit, ...more }],
    })
    const own = engineWith(guard, { clock })
    for (let i = 0; i < 200; i++) {
      const decision = await own.decide(open(own))
      if (decision.effect !== 'allow') {
        clock.advance(advance)
        return (await own.decide(open(own))) as Refusal
      }
    }
    return assert.fail('nothing was refused')
  }

  test('names the span and the wait as people say them', async () => {
    const sentenceOf = async (rule: Rule, advance = 0) =>
      (await refusalOf(rule, {}, advance)).reasons[0]?.message.replace(/^You have sent more than /, '')
    assert.equal(await sentenceOf(window(2, '1s')), '2 requests in a second; try again in 2 seconds.')
    assert.equal(await sentenceOf(window(2, '1h')), '2 requests in an hour; try again in 1h 8m.')
    assert.equal(await sentenceOf(window(2, '1d')), '2 requests in a day; try again in 1d 3h.')
    assert.equal(await sentenceOf(window(2, '100s')), '2 requests in 100 seconds; try again in 113 seconds.')
    assert.equal(await sentenceOf(window(2, '8s'), 8_000), '2 requests in 8 seconds; try again in a second.')
    assert.equal(await sentenceOf(window(1, '1h')), 'one request in an hour; try again in 1h 8m.')
    assert.equal(
      await sentenceOf(gcra({ rate: 1, burst: 2 })),
      'You are sending requests faster than you may; try again in a second.',
    )
    assert.equal(
      await sentenceOf(concurrency(2)),
      '2 of your requests are already being handled; try again when one of them has been answered.',
    )
    assert.equal(
      await sentenceOf(concurrency(1)),
      'Another request of yours is already being handled; try again when it has been answered.',
    )
  })

  test('comes with an exception for every limit that the request went over, and no other', async () => {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 64 }),
      limits: [
        { name: 'first', limit: window(1, '1m') },
        { name: 'roomy', limit: window(100, '1m') },
        { name: 'second', limit: window(1, '1h') },
      ],
    })
    const own = engineWith(guard, { clock })
    await own.decide(open(own))
    const refusal = (await own.decide(open(own))) as Refusal
    assert.equal(refusal.reasons[0].rule, 'limit/first')
    assert.deepEqual(
      refusal.reasons[0].exception?.changes.map(({ at }) => at[1]),
      ['first', 'second'],
    )
  })
})

describe('the headers of an answer', () => {
  async function headersOf(options: ThrottleOptions, targets: readonly string[] = ['/']) {
    const guard = throttle({ store: memoryStore({ clock: new VirtualClock(), slots: 64 }), ...options })
    const own = engineWith(guard)
    let headers: readonly string[] | undefined
    for (const target of targets) {
      const exchange = open(own, { target })
      await own.decide(exchange)
      headers = exchange.replyHeaders
    }
    return headers
  }

  test('are both kinds where both are asked for, and none where none is', async () => {
    const limits = [{ name: 'a', limit: window(3, '1m') }]
    const standard = ['RateLimit-Policy', '"a";q=3;w=60', 'RateLimit', '"a";r=2;t=68']
    const legacy = ['X-RateLimit-Limit', '3', 'X-RateLimit-Remaining', '2', 'X-RateLimit-Reset', '68']
    assert.deepEqual(await headersOf({ limits }), standard)
    assert.deepEqual(await headersOf({ limits, headers: 'both' }), [...standard, ...legacy])
    assert.deepEqual(await headersOf({ limits, headers: 'legacy' }), legacy)
    assert.deepEqual((await headersOf({ limits, headers: 'none' })) ?? [], [])
  })

  test('name the limits of this request when those of the last were others', async () => {
    const limits = [
      { name: 'a', limit: window(3, '1m') },
      { name: 'b', limit: window(5, '100ms'), when: (x: Exchange) => x.path.canonical === '/b' },
      { name: 'c', limit: window(7, '1m'), when: (x: Exchange) => x.path.canonical === '/c' },
    ]
    const policy = async (...targets: readonly string[]) => (await headersOf({ limits }, targets))?.[1]
    assert.equal(await policy('/'), '"a";q=3;w=60')
    assert.equal(await policy('/', '/b'), '"a";q=3;w=60, "b";q=5;w=1')
    assert.equal(await policy('/b', '/c'), '"a";q=3;w=60, "c";q=7;w=60')
    assert.equal(await policy('/b', '/', '/b'), '"a";q=3;w=60, "b";q=5;w=1')
  })
})

describe('events of refusals', () => {
  const refusal: Refusal = {
    effect: 'throttle',
    guard: 'throttle',
    status: 429,
    reasons: [{ rule: 'limit/a', message: '' }],
  }

  function setUp() {
    const clock = new VirtualClock()
    const own = new Engine({ clock })
    const counts: unknown[] = []
    const events = new RefusalEvents(event => counts.push(event.data?.['count']), 1_000)
    const note = (key = 'k', limit = 'a') => events.note(open(own), refusal, limit, 'address', key)
    return { clock, counts, note }
  }

  test('start again when their span is over, and count limits and keys apart', () => {
    const { clock, counts, note } = setUp()
    for (let i = 0; i < 12; i++) note()
    note('other')
    note('k', 'b')
    assert.deepEqual(counts, [1, 10, 1, 1])
    clock.advance(999)
    note()
    assert.equal(counts.length, 4)
    clock.advance(1)
    note()
    assert.deepEqual(counts.slice(4), [1])
  })

  test('remember at most 10,000 keys at a time', () => {
    const { counts, note } = setUp()
    for (let i = 0; i < 10_000; i++) note(`k${i}`)
    note('k0')
    assert.equal(counts.length, 10_000)
    note('one more')
    note('k0')
    assert.equal(counts.length, 10_002, 'k0 was forgotten, and is a first one again')
  })
})

describe('load shedding', () => {
  test('says what is being handled, what may be, and what was shed', () => {
    const shedding = new LoadShedding({ limit: 2, shares: { default: 1 } })
    assert.deepEqual(
      [1, 2, 3].map(() => shedding.enter(exchangeOf())),
      ['entered', 'entered', 'shed'],
    )
    assert.deepEqual(shedding.figures(), { inFlight: 2, limit: 2, shed: 1 })
    shedding.leave()
    shedding.settle(ENDED)
    assert.deepEqual(shedding.figures(), { inFlight: 0, limit: 2, shed: 1 })
  })

  test('has room for one request at a time, however low its limit', () => {
    const shedding = new LoadShedding({ limit: 1 })
    assert.equal(shedding.enter(exchangeOf()), 'entered')
    assert.equal(shedding.enter(exchangeOf()), 'shed')
  })

  test('proposes a class where a critical request would have passed, and nothing where none would', () => {
    const shedding = new LoadShedding({ limit: 10 })
    for (let i = 0; i < 9; i++) shedding.enter(exchangeOf())
    assert.equal(shedding.hasRoomForCritical, true)
    const exchange = exchangeOf({ target: '/orders' })
    assert.deepEqual(overloadRefusal(exchange, shedding).reasons[0].exception, {
      changes: [{ at: ['shed', 'critical'], add: ['GET /orders'] }],
    })
    const full = new LoadShedding({ limit: 1 })
    full.enter(exchangeOf())
    assert.equal(overloadRefusal(exchange, full).reasons[0].exception, undefined)
  })

  test('learns from answers, backs off from 503 and 504, and ignores clients that left', () => {
    const limitAfter = (outcome: Partial<Outcome>, count: number): number => {
      const shedding = new LoadShedding({ limit: { initial: 100, min: 10 }, shares: { default: 1 } })
      for (let i = 0; i < count; i++) shedding.enter(exchangeOf())
      for (let i = 0; i < count; i++) shedding.settle({ ...ENDED, ...outcome })
      return shedding.figures().limit
    }
    assert.equal(limitAfter({ status: 503 }, 1), 90)
    assert.equal(limitAfter({ status: 504 }, 1), 90)
    assert.equal(limitAfter({ status: 500 }, 1), 100)
    assert.equal(limitAfter({ status: 503, aborted: true }, 1), 100)
    assert.equal(limitAfter({}, 49), 100)
    assert.ok(limitAfter({}, 60) > 100, 'fifty answers are a step')
  })
})

function assertNear(found: number, wanted: number): void {
  assert.ok(Math.abs(found - wanted) < 1e-9, `${found}, not ${wanted}`)
}

describe('an adaptive limit', () => {
  const step = (limit: AdaptiveLimit, latency: number, inFlight = 4_096): void => {
    for (let i = 0; i < 50; i++) limit.learn(latency, inFlight)
  }

  test('starts at 64 between 8 and 4,096, or where its options say', () => {
    assert.equal(new AdaptiveLimit().value, 64)
    assert.equal(new AdaptiveLimit({ initial: 1 }).value, 8)
    assert.equal(new AdaptiveLimit({ initial: 9_999 }).value, 4_096)
    assert.equal(new AdaptiveLimit({ initial: 9_999, max: 100 }).value, 100)
  })

  test('grows by a fifth of its square root a step, shrinks by at most a tenth', () => {
    const limit = new AdaptiveLimit({ initial: 100 })
    step(limit, 10)
    assert.equal(limit.value, 102)
    // Twice the unloaded latency is within the tolerance.
    step(limit, 10 * 2)
    assertNear(limit.value, 102 + Math.sqrt(102) / 5)
    const before = limit.value
    step(limit, 10 * 1_000)
    assertNear(limit.value, before * 0.9 + Math.sqrt(before) / 5)
  })

  test('takes the busiest moment of a step, and a mean of its latencies', () => {
    const limit = new AdaptiveLimit({ initial: 100 })
    for (let i = 0; i < 49; i++) limit.learn(10, 1)
    assert.equal(limit.value, 100)
    limit.learn(10, 50)
    assert.equal(limit.value, 102)
    for (let i = 0; i < 50; i++) limit.learn(10, 50)
    assert.equal(limit.value, 102, 'fifty of a hundred and two are not half')
    for (let i = 0; i < 25; i++) limit.learn(10, 60)
    for (let i = 0; i < 25; i++) limit.learn(30, 60)
    assertNear(limit.value, 102 + Math.sqrt(102) / 5)
  })

  test('measures again with half the limit every 500 steps, so that it follows a change of the code', () => {
    const limit = new AdaptiveLimit({ initial: 1_000, max: 1_000 })
    for (let i = 0; i < 499; i++) step(limit, 10)
    assert.equal(limit.value, 1_000)
    step(limit, 10)
    assert.equal(limit.value, 500)
    step(limit, 100)
    assertNear(limit.value, 500 + Math.sqrt(500) / 5)
  })
})
