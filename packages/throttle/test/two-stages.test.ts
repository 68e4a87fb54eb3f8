import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ALLOW, CidrSet, Engine, type Exchange, type Guard, RouteTable } from '@postern/core'
import {
  address,
  apiKey,
  combined,
  concurrency,
  header,
  type Limit,
  memoryStore,
  principal,
  route,
  type ThrottleOptions,
  tenant,
  throttle,
  window,
} from '../src/index.ts'
import { ENDED, open, type RequestShape } from './exchanges.ts'
import { VirtualTimers } from './virtual-timers.ts'

/** Who a request says it is: `user:alice@acme`. */
const identifies: Guard = {
  name: 'identify',
  failure: 'open',
  decide: exchange => {
    const [, kind, id = '', tenantId] =
      /^(user|apiKey):(\w+)(?:@(\w+))?$/.exec(exchange.header('x-who') ?? '') ?? []
    if (kind === 'user' || kind === 'apiKey')
      exchange.setPrincipal({ kind, id, ...(tenantId !== undefined && { tenant: tenantId }) })
    return ALLOW
  },
}

function setUp(limits: readonly Limit[], options: Omit<ThrottleOptions, 'limits' | 'store' | 'stages'> = {}) {
  const timers = new VirtualTimers()
  const { clock } = timers
  const guard = throttle({
    store: memoryStore({ clock, slots: 1_024 }),
    limits,
    stages: 'two',
    timers,
    ...options,
  })
  const engine = new Engine({
    clock,
    trustedProxies: CidrSet.parse([]),
    guards: [guard, identifies, guard.identified],
    routes: new RouteTable({
      '/free/**': { throttle: false },
      '/own': { throttle: [{ name: 'own', key: tenant(), limit: window(1, '1m') }] },
    }),
  })
  const send = async (who = '', shape: RequestShape = {}) => {
    const exchange = open(engine, { ...shape, headers: ['x-who', who] })
    const decision = await engine.decide(exchange)
    return { exchange, decision, effect: decision.effect }
  }
  const effects = async (times: number, who?: string, shape?: RequestShape): Promise<string> => {
    let text = ''
    for (let i = 0; i < times; i++) text += (await send(who, shape)).effect === 'allow' ? '+' : '-'
    return text
  }
  return { timers, guard, engine, send, effects }
}

describe('limits in two stages', () => {
  test('about principals, tenants and keys are decided once the engine knows who acts', async () => {
    const { effects } = setUp([
      { name: 'principal', key: principal(), limit: window(3, '1m') },
      { name: 'tenant', key: tenant(), limit: window(4, '1m') },
      { name: 'key', key: apiKey(), limit: window(2, '1m') },
    ])
    assert.equal(await effects(4, 'user:alice@acme'), '+++-')
    assert.equal(await effects(2, 'user:bob@acme'), '+-')
    assert.equal(await effects(3, 'apiKey:k1'), '++-')
    assert.equal(await effects(3, 'user:carol@other'), '+++')
    assert.equal(await effects(9), '+'.repeat(9), 'anonymous clients have neither')
  })

  test('a request that the second stage refuses keeps what the first took', async () => {
    const { guard, effects } = setUp([
      { name: 'address', limit: window(10, '1m') },
      { name: 'principal', key: principal(), limit: window(1, '1m') },
    ])
    assert.equal(await effects(3, 'user:alice'), '+--')
    assert.equal((await guard.peek('address', '192.0.2.1'))?.remaining, 7)
    assert.deepEqual(guard.figures(), { decisions: 3, refused: 2, degraded: 0 })
  })

  test('keys of several parts wait for the part that is known last', async () => {
    const { effects } = setUp([
      { name: 'arrival', key: combined(address(), header('x-who')), limit: window(5, '1m') },
      { name: 'both', key: combined(address(), tenant()), limit: window(1, '1m') },
    ])
    assert.equal(await effects(2, 'user:alice@acme'), '+-')
    assert.equal(await effects(2, 'user:alice@acme', { peer: '192.0.2.2' }), '+-')
    assert.equal(await effects(2, 'user:alice@other'), '+-')
  })

  test('routes add limits of either stage, and lift both', async () => {
    const { effects } = setUp([{ name: 'principal', key: principal(), limit: window(2, '1m') }])
    assert.equal(await effects(3, 'user:a@t', { target: '/own' }), '+--')
    assert.equal(await effects(2, 'user:a@t'), '+-', 'the request to the route was counted there and here')
    assert.equal(await effects(4, 'user:a@t', { target: '/free/x' }), '++++')
  })

  test('a preflight has nobody behind it, and is not counted', async () => {
    const { engine, effects } = setUp([
      { name: 'address', limit: window(1, '1m') },
      { name: 'principal', key: principal(), limit: window(1, '1m') },
    ])
    const headers = [
      'origin',
      'https://a.example',
      'access-control-request-method',
      'POST',
      'x-who',
      'user:a',
    ]
    for (let i = 0; i < 3; i++)
      assert.equal((await engine.decide(open(engine, { method: 'OPTIONS', headers }))).effect, 'allow')
    assert.equal(await effects(2, 'user:a'), '+-')
  })

  test('the headers of both stages are one list each', async () => {
    const { send } = setUp([
      { name: 'address', limit: window(10, '1m') },
      { name: 'principal', key: principal(), limit: window(5, '1m') },
    ])
    const { exchange } = await send('user:alice')
    assert.deepEqual(exchange.replyHeaders, [
      'RateLimit-Policy',
      '"address";q=10;w=60, "principal";q=5;w=60',
      'RateLimit',
      '"address";r=9;t=68, "principal";r=4;t=68',
    ])
  })

  test('the older headers show whichever limit of both stages is tighter', async () => {
    const shown = async (first: number, second: number): Promise<readonly string[] | undefined> => {
      const { send } = setUp(
        [
          { name: 'address', limit: window(first, '1m') },
          { name: 'principal', key: principal(), limit: window(second, '1s') },
        ],
        { headers: 'legacy' },
      )
      return (await send('user:alice')).exchange.replyHeaders
    }
    const names = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']
    const headers = (values: readonly string[]) => names.flatMap((name, i) => [name, values[i]])
    assert.deepEqual(await shown(10, 5), headers(['5', '4', '2']))
    assert.deepEqual(await shown(5, 10), headers(['5', '4', '68']))
    assert.deepEqual(await shown(5, 5), headers(['5', '4', '68']), 'the first of two that are equal')
  })
})

describe('places taken in two stages', () => {
  const limits: readonly Limit[] = [
    { name: 'busy-address', limit: concurrency(3) },
    { name: 'busy-user', key: principal(), limit: concurrency(2) },
  ]

  async function free(guard: ReturnType<typeof setUp>['guard']): Promise<readonly (number | undefined)[]> {
    return [
      (await guard.peek('busy-address', '192.0.2.1'))?.remaining,
      (await guard.peek('busy-user', 'user:alice'))?.remaining,
    ]
  }

  test('are given back together when the exchange ends', async () => {
    const { engine, guard, send } = setUp(limits)
    const { exchange } = await send('user:alice')
    assert.deepEqual(await free(guard), [2, 1])
    engine.settle(exchange, ENDED)
    assert.deepEqual(await free(guard), [3, 2])
  })

  test('are given back when the second stage refuses, once the refusal has been answered', async () => {
    const { engine, guard, send } = setUp(limits)
    await send('user:alice')
    await send('user:alice')
    const { exchange, effect } = await send('user:alice')
    assert.equal(effect, 'throttle')
    engine.settle(exchange, ENDED)
    assert.deepEqual(await free(guard), [1, 0])
  })

  test('that are taken after the client has gone are given back at once', async () => {
    const gate = Promise.withResolvers<void>()
    const late: Guard = {
      name: 'late',
      failure: 'open',
      decide: async exchange => {
        await gate.promise
        exchange.setPrincipal({ kind: 'user', id: 'alice' })
        return ALLOW
      },
    }
    const timers = new VirtualTimers()
    const guard = throttle({
      store: memoryStore({ clock: timers.clock, slots: 64 }),
      limits,
      stages: 'two',
      timers,
    })
    const engine = new Engine({ clock: timers.clock, guards: [guard, late, guard.identified] })
    const exchange: Exchange = open(engine)
    const decided = engine.decide(exchange)
    engine.settle(exchange, { ...ENDED, aborted: true })
    gate.resolve()
    await decided
    assert.deepEqual(await free(guard), [3, 2])
  })

  test('are kept for as long as the answer takes, longer than their lease', async () => {
    const { engine, guard, send, timers } = setUp(limits)
    const { exchange } = await send('user:alice')
    for (let minute = 0; minute < 10; minute++) await timers.advance(60_000)
    assert.deepEqual(await free(guard), [2, 1])
    engine.settle(exchange, ENDED)
    assert.deepEqual(await free(guard), [3, 2])
  })

  test('in the process, and of a limit, are both given back', async () => {
    const { engine, send, effects } = setUp(
      [{ name: 'busy-user', key: principal(), limit: concurrency(1) }],
      {
        overload: { limit: 3, shares: { default: 1 } },
      },
    )
    for (let i = 0; i < 5; i++) {
      const { exchange, effect } = await send('user:alice')
      assert.equal(effect, 'allow')
      engine.settle(exchange, ENDED)
    }
    assert.equal(await effects(4), '+++-', 'three at a time in the process, and none was left behind')
  })
})

describe('a dry look at limits', () => {
  test('says what each stage would refuse, and takes nothing', async () => {
    const { engine, guard, send } = setUp([
      { name: 'address', limit: window(2, '1m') },
      { name: 'principal', key: principal(), limit: window(1, '1m') },
    ])
    await send('user:alice')
    const look = async (who: 'alice' | 'bob'): Promise<readonly string[]> => {
      const exchange = open(engine)
      exchange.setPrincipal({ kind: 'user', id: who })
      const said = [await guard.wouldRefuse(exchange), await guard.identified.wouldRefuse?.(exchange)]
      return said.map(decision => decision?.effect ?? 'nothing')
    }
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await look('alice'), ['allow', 'throttle'])
      assert.deepEqual(await look('bob'), ['allow', 'allow'])
    }
    await send('user:bob')
    assert.deepEqual(await look('alice'), ['throttle', 'throttle'])
  })
})

describe('a limit per route', () => {
  test('counts each pattern apart and leaves other requests alone', async () => {
    const { effects } = setUp([{ name: 'pattern', key: route(), limit: window(1, '1m') }])
    assert.equal(await effects(2, '', { target: '/own' }), '+-')
    assert.equal(await effects(3, '', { target: '/elsewhere' }), '+++')
  })
})
