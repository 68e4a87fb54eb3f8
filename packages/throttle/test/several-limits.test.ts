import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Decision, type Refusal, RouteTable, VirtualClock } from '@postern/core'
import {
  body,
  concurrency,
  type Limit,
  type LimitStore,
  memoryStore,
  throttle,
  window,
} from '../src/index.ts'
import { ENDED, engineWith, open } from './exchanges.ts'
import { settled, VirtualTimers } from './virtual-timers.ts'

const setUp = (limits: readonly Limit[], headers: 'standard' | 'legacy' = 'standard') => {
  const clock = new VirtualClock()
  const guard = throttle({ store: memoryStore({ clock, slots: 256 }), limits, headers })
  return { clock, guard, engine: engineWith(guard, { clock }) }
}

describe('limits behind one whose key is read from the body', () => {
  test('apply where their condition holds, and only there', async () => {
    const { engine } = setUp([
      { name: 'account', key: body('account'), limit: window(100, '1m') },
      { name: 'never', limit: window(1, '1m'), when: () => false },
      { name: 'posts', limit: window(2, '1m'), when: ({ method }) => method === 'POST' },
      { name: 'always', limit: window(3, '1m') },
    ])
    const ask = async (method: string): Promise<string> => {
      const shape = { method, headers: ['Content-Type', 'application/json'], body: '{"account":"a"}' }
      const decision = await engine.decide(open(engine, shape))
      return decision.effect === 'allow' ? 'allow' : decision.reasons[0].rule
    }
    assert.deepEqual(
      [await ask('POST'), await ask('POST'), await ask('POST'), await ask('PUT'), await ask('PUT')],
      ['allow', 'allow', 'limit/posts', 'allow', 'limit/always'],
    )
  })
})

describe('the older headers', () => {
  test('show the tightest limit, first or last', async () => {
    const few = { name: 'few', limit: window(3, '1m') }
    const many = { name: 'many', limit: window(100, '1m') }
    for (const limits of [
      [few, many],
      [many, few],
      [many, few, { name: 'more', limit: window(50, '1m') }],
    ]) {
      const { engine } = setUp(limits, 'legacy')
      const exchange = open(engine)
      await engine.decide(exchange)
      assert.deepEqual(exchange.replyHeaders?.slice(0, 4), [
        'X-RateLimit-Limit',
        '3',
        'X-RateLimit-Remaining',
        '2',
      ])
    }
  })
})

describe('an exception', () => {
  test('for a nameless limit of a route stands at the route, and lets that caller pass there', async () => {
    const asking = (exempt: readonly string[]) => {
      const guard = throttle({ store: memoryStore({ slots: 64 }) })
      const engine = engineWith(guard, {
        routes: new RouteTable({ 'POST /login': { throttle: [{ limit: window(1, '1m'), exempt }] } }),
      })
      return (): Decision | Promise<Decision> =>
        engine.decide(open(engine, { method: 'POST', target: '/login' }))
    }
    const ask = asking([])
    await ask()
    const { reasons } = (await ask()) as Refusal
    const key = 'POST /login 192.0.2.1'
    assert.deepEqual(reasons[0].exception?.changes, [
      { at: ['routes', 'POST /login', 'throttle', 'exempt'], add: [key] },
    ])
    const again = asking([key])
    await again()
    assert.equal((await again()).effect, 'allow')
  })
})

describe('a request that costs more than its limit', () => {
  test('may come back when a whole window has passed, also as the first of its key', async () => {
    const { engine } = setUp([{ name: 'units', limit: window(5, '1m'), cost: 6 }])
    const refusal = (await engine.decide(open(engine))) as Refusal
    assert.equal(refusal.retryAfter, 60)
    assert.equal(refusal.reasons[0].evidence?.facts?.['remaining'], 5)
  })
})

describe('the place of a long request', () => {
  test('that is lost at a renewal is not given back when the request ends', async () => {
    const timers = new VirtualTimers()
    const released: number[] = []
    let answers = 'taken'
    const store: LimitStore = {
      name: 'memory',
      decide: question => {
        question.refused = answers === 'taken' ? -1 : 0
        question.tickets[0] = answers === 'taken' ? 7 : 9
        question.retryAfter[0] = 1
        return undefined
      },
      release: (_limit, _key, _rule, ticket) => {
        released.push(ticket)
      },
      reset: () => undefined,
      health: () => ({ name: 'limits', ok: true, required: false }),
      close: async () => {},
    }
    const guard = throttle({
      store,
      timers,
      limits: [{ name: 'busy', limit: concurrency(1, { lease: '60s' }) }],
    })
    const engine = engineWith(guard, { clock: timers.clock })
    const exchange = open(engine)
    assert.equal((await engine.decide(exchange)).effect, 'allow')
    await timers.advance(15_000)
    assert.deepEqual(released, [], 'it was not there at the look before')
    answers = 'full'
    await timers.advance(15_000)
    assert.deepEqual(released, [7], 'given back, to be taken again')
    engine.settle(exchange, ENDED)
    await settled()
    assert.deepEqual(released, [7])
  })

  test('is tried for again at the next look, and given back once it is had', async () => {
    const timers = new VirtualTimers()
    const released: number[] = []
    const refusals = [-1, 0, -1]
    let asked = 0
    const store: LimitStore = {
      name: 'memory',
      decide: question => {
        question.refused = refusals[asked] ?? -1
        question.tickets[0] = 10 + asked
        asked++
        return undefined
      },
      release: (_limit, _key, _rule, ticket) => {
        released.push(ticket)
      },
      reset: () => undefined,
      health: () => ({ name: 'limits', ok: true, required: false }),
      close: async () => {},
    }
    const guard = throttle({
      store,
      timers,
      limits: [{ name: 'busy', limit: concurrency(1, { lease: '60s' }) }],
    })
    const engine = engineWith(guard, { clock: timers.clock })
    const exchange = open(engine)
    await engine.decide(exchange)
    await timers.advance(30_000)
    assert.deepEqual([asked, released], [2, [10]])
    await timers.advance(15_000)
    assert.deepEqual([asked, released], [3, [10]])
    engine.settle(exchange, ENDED)
    assert.deepEqual(released, [10, 12])
    await timers.advance(60_000)
    assert.equal(asked, 3, 'nothing is renewed once all requests have ended')
  })
})

describe('looking at a limit', () => {
  test('whose rule depends on the request needs that rule, and an unknown one shows nothing', async () => {
    const plan = window(7, '1m')
    const { guard, engine } = setUp([
      { name: 'plan', limit: () => plan },
      { name: 'fixed', limit: window(5, '1m') },
    ])
    await engine.decide(open(engine))
    assert.equal(await guard.peek('plan', '192.0.2.1'), undefined)
    assert.equal((await guard.peek('plan', '192.0.2.1', plan))?.remaining, 6)
    assert.equal(await guard.peek('no such limit', '192.0.2.1'), undefined)
    assert.equal(await guard.peek('no such limit', '192.0.2.1', plan), undefined)
    assert.deepEqual(
      (await guard.show('192.0.2.1')).map(({ name, remaining }) => [name, remaining]),
      [['fixed', 4]],
    )
    await guard.reset('192.0.2.1', 'no such limit')
    assert.equal((await guard.peek('fixed', '192.0.2.1'))?.remaining, 4)
  })
})
