import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Exchange, VirtualClock } from '@postern/core'
import { overrides, type Rule, throttle, window } from '../src/index.ts'
import { AdaptiveLimit } from '../src/load/adaptive-limit.ts'
import { ENDED, engineWith, open } from './exchanges.ts'

describe('load shedding', () => {
  const setUp = () => {
    const guard = throttle({
      overload: {
        limit: 10,
        classOf: x =>
          x.path.canonical === '/pay' ? 'critical' : x.path.canonical === '/export' ? 'sheddable' : 'default',
      },
    })
    const engine = engineWith(guard)
    const enter = async (target: string) => {
      const exchange = open(engine, { target })
      const decision = await engine.decide(exchange)
      return { exchange, passed: decision.effect === 'allow', decision }
    }
    return { engine, enter }
  }

  test('sheds the least important first, and says so with 503', async () => {
    const { enter } = setUp()
    for (let i = 0; i < 6; i++) assert.equal((await enter('/export')).passed, true)
    const { decision } = await enter('/export')
    assert.ok(decision.effect === 'deny' && decision.status === 503)
    assert.equal(decision.reasons[0].rule, 'limit/overload')
    for (let i = 0; i < 3; i++) assert.equal((await enter('/list')).passed, true)
    assert.equal((await enter('/list')).passed, false)
    assert.equal((await enter('/pay')).passed, true)
    assert.equal((await enter('/pay')).passed, false)
  })

  test('lets others in as requests end, each counted out once', async () => {
    const { engine, enter } = setUp()
    const entered = await Promise.all(Array.from({ length: 9 }, () => enter('/list')))
    assert.equal((await enter('/list')).passed, false)
    const [first] = entered
    assert.ok(first)
    engine.settle(first.exchange, ENDED)
    assert.equal((await enter('/list')).passed, true)
    assert.equal((await enter('/list')).passed, false)
  })

  test('a request refused by a limit, or whose key fails, does not stay counted in', async () => {
    let broken = false
    const key = (): string => {
      if (broken) throw new Error('no key')
      return 'all'
    }
    const guard = throttle({ overload: { limit: 3 }, limits: [{ name: 'all', key, limit: window(1, '1m') }] })
    const engine = engineWith(guard, { onError: () => {} })
    for (let i = 0; i < 20; i++) {
      broken = i % 2 === 1
      const exchange = open(engine)
      const { effect } = await engine.decide(exchange)
      if (effect === 'allow') engine.settle(exchange, ENDED)
    }
    broken = false
    const last = await engine.decide(open(engine))
    assert.equal(last.effect, 'throttle')
  })
})

describe('an adaptive limit', () => {
  /** A backend that handles `capacity` at a time in 10 ms, and makes the others wait. */
  const settleAt = (capacity: number): number => {
    const limit = new AdaptiveLimit({ initial: 20 })
    for (let i = 0; i < 40_000; i++) {
      const inFlight = Math.floor(limit.value)
      limit.learn(10 * Math.max(1, inFlight / capacity), inFlight)
    }
    return limit.value
  }

  test('finds more room where there is more', () => {
    const small = settleAt(30)
    const large = settleAt(300)
    assert.ok(small >= 8 && small <= 120, `${small}`)
    assert.ok(large > small * 2, `${large} after ${small}`)
  })

  test('shrinks when latency jumps, and stays within its bounds', () => {
    const limit = new AdaptiveLimit({ initial: 100, min: 10, max: 200 })
    for (let i = 0; i < 5_000; i++) limit.learn(10, 190)
    assert.equal(Math.round(limit.value), 200)
    for (let i = 0; i < 1_000; i++) limit.learn(200, 190)
    assert.ok(limit.value < 100, `${limit.value}`)
    for (let i = 0; i < 100; i++) limit.backOff()
    assert.equal(limit.value, 10)
  })

  test('learns nothing from a process that is not busy', () => {
    const limit = new AdaptiveLimit({ initial: 100 })
    for (let i = 0; i < 1_000; i++) limit.learn(10, 3)
    assert.equal(limit.value, 100)
  })
})

describe('overrides', () => {
  const rules = { small: window(1, '1m'), large: window(9, '1m') }
  const setUp = (load: (key: string) => Promise<Rule | undefined>, most = 100) => {
    const clock = new VirtualClock()
    const loads: string[] = []
    const rule = overrides({
      of: (x: Exchange) => x.header('x-tenant'),
      load: key => {
        loads.push(key)
        return load(key)
      },
      otherwise: rules.small,
      clock,
      most,
    })
    const engine = engineWith({ name: 'none', failure: 'open', decide: () => ({ effect: 'allow' }) })
    return { clock, loads, rule: (tenant: string) => rule(open(engine, { headers: ['x-tenant', tenant] })) }
  }

  test('change within the refresh time, and no request waits for them', async () => {
    let own: Rule | undefined = rules.large
    const { clock, rule, loads } = setUp(async () => own)
    assert.equal(rule('a'), rules.small)
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(rule('a'), rules.large)
    own = undefined
    clock.advance(30_000)
    assert.equal(rule('a'), rules.large)
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(rule('a'), rules.small)
    assert.equal(loads.length, 2)
  })

  test('stay as they were when they cannot be read', async () => {
    let fails = false
    const { clock, rule } = setUp(async () => {
      if (fails) throw new Error('down')
      return rules.large
    })
    rule('a')
    await new Promise(resolve => setImmediate(resolve))
    fails = true
    clock.advance(30_000)
    rule('a')
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(rule('a'), rules.large)
  })

  test('a flood of unknown tenants is not a flood of queries', () => {
    const { rule, loads } = setUp(() => new Promise(() => {}), 10)
    for (let i = 0; i < 10_000; i++) rule(`tenant-${i}`)
    assert.equal(loads.length, 32)
  })
})
