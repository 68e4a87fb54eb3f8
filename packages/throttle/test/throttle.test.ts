import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  ALLOW,
  type AnswerHead,
  ConfigError,
  Engine,
  type Event,
  RouteTable,
  refusalAnswer,
  VirtualClock,
} from '@postern/core'
import {
  address,
  body,
  combined,
  concurrency,
  gcra,
  header,
  type Limit,
  type LimitStore,
  memoryStore,
  principal,
  type Throttle,
  type ThrottleOptions,
  tenant,
  throttle,
  window,
} from '../src/index.ts'
import { ENDED, engineWith, open, type RequestShape } from './exchanges.ts'
import { VirtualTimers } from './virtual-timers.ts'

function setUp(limits: readonly Limit[], options: Omit<ThrottleOptions, 'limits' | 'store'> = {}) {
  const clock = new VirtualClock()
  const guard = throttle({ store: memoryStore({ clock, slots: 1_024 }), limits, ...options })
  const engine = engineWith(guard, { clock })
  const send = (shape: RequestShape = {}) => engine.decide(open(engine, shape))
  return { clock, guard, engine, send }
}

const headOf = (type: string): AnswerHead => ({
  status: 200,
  get: name => (name === 'content-type' ? type : undefined),
  getAll: name => (name === 'content-type' ? [type] : []),
  set: () => {},
  append: () => {},
  remove: () => {},
})

async function effects(send: () => unknown, times: number): Promise<string> {
  let text = ''
  for (let i = 0; i < times; i++)
    text += ((await send()) as { effect: string }).effect === 'allow' ? '+' : '-'
  return text
}

describe('one limit', () => {
  test('admits the limit, refuses the next, and admits again when the window has passed', async () => {
    const { send, clock } = setUp([{ name: 'address', limit: window(3, '1m') }])
    assert.equal(await effects(send, 5), '+++--')
    clock.advance(60_000 + 7_500)
    assert.equal(await effects(send, 4), '+++-')
  })

  test('a refused request costs nothing, so a steady client is never locked out for good', async () => {
    const { send, clock } = setUp([{ name: 'address', limit: window(10, '10s') }])
    let admitted = 0
    for (let i = 0; i < 1_000; i++) {
      clock.advance(100)
      if (((await send()) as { effect: string }).effect === 'allow') admitted++
    }
    assert.ok(admitted >= 80, `${admitted} admitted in 100 s`)
  })

  test('answers at once: no promise is made for limits in memory', () => {
    const { send } = setUp([{ name: 'address', limit: window(1, '1m') }])
    assert.equal(send() instanceof Promise, false)
  })

  test('takes the cost of a request, and lets a request without cost pass', async () => {
    const { send, guard } = setUp([
      { name: 'units', limit: window(10, '1m'), cost: x => Number(x.header('x-cost') ?? 1) },
    ])
    assert.equal(await effects(() => send({ headers: ['x-cost', '4'] }), 3), '++-')
    assert.equal(await effects(() => send({ headers: ['x-cost', '0'] }), 3), '+++')
    assert.equal((await guard.peek('units', '192.0.2.1'))?.remaining, 2)
  })

  test('a cost that is not a number is answered by the guard failing closed, not by free passage', async () => {
    const errors: unknown[] = []
    const guard = throttle({ limits: [{ name: 'units', limit: window(10, '1m'), cost: () => Number.NaN }] })
    const engine = engineWith(guard, { onError: (_, error) => errors.push(error) })
    const decision = await engine.decide(open(engine))
    assert.equal(decision.effect, 'deny')
    assert.ok(errors[0] instanceof ConfigError)
  })
})

describe('several limits', () => {
  const limits: readonly Limit[] = [
    { name: 'wide', limit: window(10, '1m') },
    { name: 'narrow', key: header('x-user'), limit: window(2, '1m') },
  ]

  test('are one decision: when one refuses, nothing is taken from the others', async () => {
    const { send, guard } = setUp(limits)
    assert.equal(await effects(() => send({ headers: ['x-user', 'a'] }), 5), '++---')
    assert.equal((await guard.peek('wide', '192.0.2.1'))?.remaining, 8)
    assert.equal(await effects(() => send({ headers: ['x-user', 'b'] }), 2), '++')
    assert.equal((await guard.peek('wide', '192.0.2.1'))?.remaining, 6)
  })

  test('a limit whose key is undefined does not apply', async () => {
    const { send } = setUp([{ name: 'user', key: principal(), limit: window(1, '1m') }])
    assert.equal(await effects(send, 3), '+++')
  })
})

describe('keys', () => {
  test('an IPv6 client is held by its /56, however it rotates', async () => {
    const { send } = setUp([{ name: 'address', key: address({ v6: 56 }), limit: window(2, '1m') }])
    const from = (peer: string) => effects(() => send({ peer }), 1)
    assert.equal(await from('2001:db8:1:100::1'), '+')
    assert.equal(await from('2001:db8:1:1ff::2'), '+')
    assert.equal(await from('2001:db8:1:1aa:dead:beef::1'), '-')
    assert.equal(await from('2001:db8:1:200::1'), '+')
  })

  test('IPv4 in its IPv6 form is the same client', async () => {
    const { send } = setUp([{ name: 'address', limit: window(1, '1m') }])
    assert.equal(await effects(() => send({ peer: '192.0.2.9' }), 1), '+')
    assert.equal(await effects(() => send({ peer: '::ffff:192.0.2.9' }), 1), '-')
    assert.equal(await effects(() => send({ peer: '::FFFF:c000:0209' }), 1), '-')
  })

  test('leaving a header out does not bypass its limit', async () => {
    const { send } = setUp([{ name: 'client', key: header('X-Client'), limit: window(1, '1m') }])
    assert.equal(await effects(() => send(), 2), '+-')
    assert.equal(await effects(() => send({ peer: '198.51.100.7' }), 1), '-')
  })

  test('a body field is read from JSON and forms, with its spelling folded', async () => {
    const { send } = setUp([{ name: 'account', key: body('user.email'), limit: window(2, '1m') }])
    const post = (text: string, type = 'application/json') =>
      effects(() => send({ method: 'POST', body: text, headers: ['Content-Type', type] }), 1)
    assert.equal(await post('{"user":{"email":"Ann@Example.com"}}'), '+')
    assert.equal(await post('user.email=ann%40example.com+', 'application/x-www-form-urlencoded'), '+')
    assert.equal(await post('{"user":{"email":" \\uff21nn@example.COM"}}'), '-')
    assert.equal(await post('{"user":{"email":"bob@example.com"}}'), '+')
  })

  test('bodies without the field, that are not JSON, or that name it on a prototype, share one key', async () => {
    const { send } = setUp([{ name: 'account', key: body('__proto__.x'), limit: window(2, '1m') }])
    const post = (text: string) => effects(() => send({ method: 'POST', body: text }), 1)
    assert.equal(await post('{'), '+')
    assert.equal(await post('{"constructor":1}'), '+')
    assert.equal(await post('[[]]'), '-')
  })

  test('combined keys cannot be shifted into one another', async () => {
    const { send } = setUp([
      { name: 'pair', key: combined(header('a'), header('b')), limit: window(1, '1m') },
    ])
    const pair = (a: string, b: string) => effects(() => send({ headers: ['a', a, 'b', b] }), 1)
    assert.equal(await pair('x 1:', 'y'), '+')
    assert.equal(await pair('x', '1: y'), '+')
    assert.equal(await pair('', 'x 1:y'), '+')
  })

  test('names of prototype properties are keys like any other', async () => {
    const { send } = setUp([{ name: 'client', key: header('x-client'), limit: window(1, '1m') }])
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.equal(await effects(() => send({ headers: ['x-client', name] }), 2), '+-', name)
    }
  })

  test('huge keys cost no more than a digest, and still differ', async () => {
    const { send } = setUp([{ name: 'client', key: header('x-client'), limit: window(1, '1m') }])
    const huge = 'x'.repeat(1_000_000)
    assert.equal(await effects(() => send({ headers: ['x-client', `${huge}1`] }), 2), '+-')
    assert.equal(await effects(() => send({ headers: ['x-client', `${huge}2`] }), 1), '+')
  })
})

describe('limits that depend on the request', () => {
  test('differ by plan, and a changed number keeps what was counted', async () => {
    let limit = 2
    const rules = new Map([
      [2, window(2, '1m')],
      [5, window(5, '1m')],
    ])
    const { send } = setUp([{ name: 'plan', limit: () => rules.get(limit) }])
    assert.equal(await effects(send, 3), '++-')
    limit = 5
    assert.equal(await effects(send, 4), '+++-')
    limit = 2
    assert.equal(await effects(send, 1), '-')
  })

  test('are replaced whole without a restart, and a mistake leaves the old ones', async () => {
    const { send, guard } = setUp([{ name: 'address', limit: window(2, '1m') }])
    assert.equal(await effects(send, 3), '++-')
    assert.throws(() => guard.replace([{ name: 'no good', limit: window(9, '1m') }]), ConfigError)
    assert.equal(await effects(send, 1), '-')
    guard.replace([{ name: 'address', limit: window(4, '1m') }])
    assert.equal(await effects(send, 3), '++-')
  })

  test('GCRA keeps a promise over any window when it is given as one', async () => {
    const { send, clock } = setUp([{ name: 'rate', limit: gcra({ limit: 10, window: '10s', burst: 4 }) }])
    assert.equal(await effects(send, 6), '++++--')
    clock.advance(10_000)
    assert.equal(await effects(send, 5), '++++-')
  })
})

describe('routes', () => {
  const routes = new RouteTable({
    '/free/**': { throttle: false },
    'POST /login': { throttle: window(1, '1m') },
    '/search/**': { throttle: [{ name: 'search', key: tenant(), limit: window(1, '1m') }] },
  })

  test('add their limits to the others, count apart, and may lift all', async () => {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 256 }),
      limits: [{ name: 'address', limit: window(3, '1m') }],
    })
    const engine = engineWith(guard, { clock, routes })
    const send = (method: string, target: string) => () => engine.decide(open(engine, { method, target }))
    assert.equal(await effects(send('POST', '/login'), 2), '+-')
    assert.equal(await effects(send('GET', '/login'), 3), '++-')
    assert.equal(await effects(send('GET', '/free/x'), 9), '+++++++++')
  })
})

describe('a route limit with the name of a general one', () => {
  test('takes its place there, so that no request is counted twice', async () => {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 256 }),
      limits: [{ name: 'address', limit: window(5, '1m') }],
    })
    const routes = new RouteTable({ '/strict': { throttle: { name: 'address', limit: window(2, '1m') } } })
    const engine = engineWith(guard, { clock, routes })
    assert.equal(await effects(() => engine.decide(open(engine, { target: '/strict' })), 3), '++-')
    assert.equal(await effects(() => engine.decide(open(engine, { target: '/' })), 4), '+++-')
  })
})

describe('concurrency', () => {
  const longTimers = () => {
    let due: (() => void)[] = []
    const timers = {
      after: (_ms: number, call: () => void) => {
        due.push(call)
        return () => {
          due = due.filter(one => one !== call)
        }
      },
    }
    const fire = (): void => {
      for (const call of due.splice(0)) call()
    }
    return { timers, fire }
  }

  test('a place is held for as long as the answer is open, however long that is, and free at once when it ends', async () => {
    const { timers, fire } = longTimers()
    const { engine, clock } = setUp([{ name: 'streams', limit: concurrency(3) }], { timers })
    const streams = [open(engine), open(engine), open(engine)]
    for (const stream of streams) assert.equal(await engine.decide(stream), ALLOW)
    for (let minute = 0; minute < 40; minute++) {
      clock.advance(15_000)
      fire()
      await null
      assert.notEqual((await engine.decide(open(engine))).effect, 'allow', `after ${minute * 15} s`)
    }
    engine.settle(streams[0] as (typeof streams)[number], ENDED)
    assert.equal((await engine.decide(open(engine))).effect, 'allow')
    assert.notEqual((await engine.decide(open(engine))).effect, 'allow')
  })

  test('attack: a request outlives the shorter of its two leases, and its place is taken again', async () => {
    const timers = new VirtualTimers()
    const { clock } = timers
    const guard = throttle({
      store: memoryStore({ clock, slots: 1_024 }),
      limits: [
        { name: 'long', limit: concurrency(9, { lease: '1h' }) },
        { name: 'short', limit: concurrency(1, { lease: '10s' }) },
      ],
      timers,
    })
    const engine = engineWith(guard, { clock })
    const slow = open(engine)
    assert.equal(await engine.decide(slow), ALLOW)
    for (let i = 0; i < 10; i++) {
      await timers.advance(5_000)
      assert.equal(await effects(() => engine.decide(open(engine)), 1), '-', `after ${5 * (i + 1)} s`)
    }
    engine.settle(slow, ENDED)
    assert.equal(await effects(() => engine.decide(open(engine)), 1), '+')
  })

  test('streams of events are free where the limit says so, and answers of other kinds are not', async () => {
    for (const [type, wanted] of [
      ['text/event-stream; charset=utf-8', 'allow'],
      ['text/html', 'throttle'],
    ] as const) {
      const { engine } = setUp([{ name: 'busy', limit: concurrency(2), eventStreams: 'free' }])
      const answers = [open(engine), open(engine)]
      for (const exchange of answers) {
        assert.equal(await engine.decide(exchange), ALLOW)
        engine.onAnswer(exchange, headOf(type))
      }
      assert.equal((await engine.decide(open(engine))).effect, wanted)
      for (const exchange of answers) engine.settle(exchange, ENDED)
      assert.equal(await effects(() => engine.decide(open(engine)), 3), wanted === 'allow' ? '+--' : '++-')
    }
  })

  test('attack: a stream of events begins while its places are renewed, and none of them stays taken', async () => {
    const { timers, fire } = longTimers()
    const clock = new VirtualClock()
    const memory = memoryStore({ clock, slots: 1_024 })
    let answered = Promise.resolve()
    const remote: LimitStore = {
      name: 'remote',
      decide: async question => {
        await answered
        await memory.decide(question)
      },
      release: (...place) => memory.release(...place),
      reset: (...key) => memory.reset(...key),
      health: () => memory.health(),
      close: () => memory.close(),
    }
    const guard = throttle({
      store: remote,
      limits: [
        { name: 'free', limit: concurrency(1), eventStreams: 'free' },
        { name: 'counted', key: header('x-caller'), limit: concurrency(1) },
      ],
      timers,
    })
    const engine = engineWith(guard, { clock })
    const caller = { headers: ['X-Caller', 'a'] }
    const stream = open(engine, caller)
    assert.equal(await engine.decide(stream), ALLOW)
    clock.advance(15_000)
    fire()
    const { promise, resolve } = Promise.withResolvers<void>()
    answered = promise
    clock.advance(15_000)
    fire()
    engine.onAnswer(stream, headOf('text/event-stream'))
    resolve()
    await setImmediate()

    assert.equal(
      await effects(() => engine.decide(open(engine, caller)), 1),
      '-',
      'the counted place is held',
    )
    const other = open(engine, { headers: ['X-Caller', 'b'] })
    assert.equal(await engine.decide(other), ALLOW, 'the free place was given back')
    engine.settle(other, ENDED)
    engine.settle(stream, ENDED)
    assert.equal(await engine.decide(open(engine, caller)), ALLOW, 'nothing is held at the end')
  })

  test('two guards that hold places of one request both give them back, each once', () => {
    const clock = new VirtualClock()
    const one = throttle({
      store: memoryStore({ clock, slots: 1_024 }),
      limits: [{ name: 'one', limit: concurrency(1) }],
    })
    const two = throttle({
      store: memoryStore({ clock, slots: 1_024 }),
      limits: [{ name: 'two', limit: concurrency(2) }],
    })
    const engine = new Engine({ clock, guards: [one, two] })
    for (let i = 0; i < 5; i++) {
      const exchange = open(engine)
      assert.equal(engine.decide(exchange), ALLOW)
      engine.settle(exchange, ENDED)
      one.settle(exchange, ENDED)
      two.settle(exchange, ENDED)
    }
    const [held, refused] = [open(engine), open(engine)]
    assert.equal(engine.decide(held), ALLOW)
    assert.notEqual(engine.decide(refused), ALLOW)
  })

  test('a place is given back when the exchange ends, and not twice', async () => {
    const { engine, guard } = setUp([{ name: 'busy', limit: concurrency(2) }])
    const first = open(engine)
    const second = open(engine)
    assert.equal((await engine.decide(first)).effect, 'allow')
    assert.equal((await engine.decide(second)).effect, 'allow')
    const third = open(engine)
    const refused = await engine.decide(third)
    assert.equal(refused.effect, 'throttle')
    assert.equal(refused.retryAfter, 1, 'not the lease: a place comes free when a request ends')
    assert.equal(
      refused.reasons[0]?.message,
      '2 of your requests are already being handled; try again when one of them has been answered.',
    )
    engine.settle(third, ENDED)
    assert.equal((await guard.peek('busy', '192.0.2.1'))?.remaining, 0)
    engine.settle(first, ENDED)
    guard.settle(first, ENDED)
    assert.equal((await guard.peek('busy', '192.0.2.1'))?.remaining, 1)
  })

  test('a place nobody gives back expires', async () => {
    const { send, clock } = setUp([{ name: 'busy', limit: concurrency(1, { lease: '10s' }) }])
    assert.equal(await effects(send, 2), '+-')
    clock.advance(11_251)
    assert.equal(await effects(send, 2), '+-')
  })
})

describe('a refusal', () => {
  test('tells the caller when to come back, and the operator what would let the request pass', async () => {
    const { engine, send } = setUp([{ name: 'address', limit: window(100, '1m') }])
    for (let i = 0; i < 100; i++) await send()
    const exchange = open(engine)
    const decision = await engine.decide(exchange)
    assert.ok(decision.effect === 'throttle')
    const [reason] = decision.reasons
    assert.equal(reason.rule, 'limit/address')
    assert.equal(reason.message, 'You have sent more than 100 requests in a minute; try again in 68 seconds.')
    assert.deepEqual(reason.evidence?.facts, {
      key: 'address',
      value: '192.0.2.1',
      limit: 100,
      window: '1m',
      cost: 1,
      remaining: 0,
    })
    assert.deepEqual(reason.exception, {
      changes: [{ at: ['limits', 'address', 'exempt'], add: ['192.0.2.1'] }],
    })
    const { status, headers, body: text } = refusalAnswer(decision, exchange)
    assert.equal(status, 429)
    assert.equal(headers[headers.indexOf('Retry-After') + 1], '68')
    assert.equal(headers[headers.indexOf('RateLimit') + 1], '"address";r=0;t=68')
    assert.equal(text.includes('exempt'), false)
  })

  test('never writes a header or body value down, and its exception works all the same', async () => {
    const limit = { name: 'client', key: header('x-client'), limit: window(1, '1m') }
    const { send, guard } = setUp([limit])
    const request = { headers: ['x-client', 'hunter2'] }
    await send(request)
    const decision = await send(request)
    const said = JSON.stringify(decision)
    assert.equal(said.includes('hunter2'), false)
    const written = /digest-[\w-]{22}/.exec(said)?.[0] ?? ''
    guard.replace([{ ...limit, exempt: [written] }])
    assert.equal(await effects(() => send(request), 3), '+++')
    assert.equal(await effects(() => send({ headers: ['x-client', 'other'] }), 2), '+-')
  })

  test('becomes events at the 1st, 10th and 100th, however many there are', async () => {
    const events: Event[] = []
    const { send } = setUp([{ name: 'address', limit: window(1, '1m') }], {
      onEvent: event => events.push(event),
    })
    for (let i = 0; i < 500; i++) await send()
    assert.deepEqual(
      events.map(event => [event.type, event.actor.address, event.data?.['count']]),
      [1, 10, 100].map(count => ['limit.refused', '192.0.2.1', count]),
    )
  })
})

describe('headers', () => {
  async function headersOf(guard: Throttle): Promise<readonly string[]> {
    const engine = engineWith(guard)
    const exchange = open(engine)
    await engine.decide(exchange)
    return exchange.replyHeaders ?? []
  }

  test('name every limit by the current draft', async () => {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 256 }),
      limits: [
        { name: 'address', limit: window(100, '1m') },
        { name: 'rate', limit: gcra({ rate: 10, burst: 20 }) },
        { name: 'busy', limit: concurrency(5) },
      ],
    })
    assert.deepEqual(await headersOf(guard), [
      'RateLimit-Policy',
      '"address";q=100;w=60, "rate";q=20;w=2, "busy";q=5;qu="concurrent-requests"',
      'RateLimit',
      '"address";r=99;t=68, "rate";r=19;t=1, "busy";r=4',
    ])
  })

  test('can be the older ones, which know only the tightest limit', async () => {
    const clock = new VirtualClock()
    const guard = throttle({
      store: memoryStore({ clock, slots: 256 }),
      headers: 'legacy',
      limits: [
        { name: 'a', limit: window(100, '1m') },
        { name: 'b', limit: window(7, '1s') },
      ],
    })
    assert.deepEqual(await headersOf(guard), [
      'X-RateLimit-Limit',
      '7',
      'X-RateLimit-Remaining',
      '6',
      'X-RateLimit-Reset',
      '2',
    ])
  })
})

describe('the test kit', () => {
  test('peek takes nothing, show tells all limits, reset forgets one key', async () => {
    const { send, guard } = setUp([
      { name: 'address', limit: window(2, '1m') },
      { name: 'other', limit: window(5, '1m') },
    ])
    await send()
    await guard.peek('address', '192.0.2.1')
    const standings = await guard.show('192.0.2.1')
    assert.deepEqual(
      standings.map(({ name, remaining }) => [name, remaining]),
      [
        ['address', 1],
        ['other', 4],
      ],
    )
    await guard.reset('192.0.2.1', 'address')
    assert.equal((await guard.peek('address', '192.0.2.1'))?.remaining, 2)
    assert.equal((await guard.peek('other', '192.0.2.1'))?.remaining, 4)
    await guard.reset('192.0.2.1')
    assert.equal((await guard.peek('other', '192.0.2.1'))?.remaining, 5)
  })
})

describe('configuration', () => {
  test('names every mistake', () => {
    assert.throws(() => throttle({ limits: [{ name: '', limit: window(1, '1m') }] }), ConfigError)
    assert.throws(
      () =>
        throttle({
          limits: [
            { name: 'a', limit: window(1, '1m') },
            { name: 'a', limit: window(1, '1m') },
          ],
        }),
      /is used twice/,
    )
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY]) {
      assert.throws(() => window(wrong, '1m'), ConfigError, String(wrong))
      assert.throws(() => concurrency(wrong), ConfigError, String(wrong))
    }
    assert.throws(() => window(1, '10ms'), ConfigError)
    assert.throws(() => window(1, '400d'), ConfigError)
    assert.throws(() => gcra({ rate: 0, burst: 5 }), ConfigError)
    assert.throws(() => gcra({ limit: 5, window: '1s', burst: 5 }), ConfigError)
  })
})
