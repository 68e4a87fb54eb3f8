import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Decision, VirtualClock } from '@postern/core'
import { body, gcra, header, type Limit, memoryStore, principal, throttle, window } from '../src/index.ts'
import { engineWith, open, type RequestShape } from './exchanges.ts'

function setUp(limits: readonly Limit[], stages: 'one' | 'two' = 'one') {
  const clock = new VirtualClock()
  const guard = throttle({ store: memoryStore({ clock, slots: 1_024 }), limits, stages })
  const engine = engineWith(guard, { clock })
  return {
    clock,
    guard,
    engine,
    send: async (shape: RequestShape = {}): Promise<string> =>
      (await engine.decide(open(engine, shape))).effect,
    would: async (shape: RequestShape = {}): Promise<Decision> => guard.wouldRefuse(open(engine, shape)),
  }
}

describe('what limits would say behind another refusal', () => {
  test('is the refusal once they are spent, and takes nothing before', async () => {
    const { send, would, clock } = setUp([{ name: 'address', limit: window(2, '1m') }])
    for (let i = 0; i < 5; i++) assert.equal((await would()).effect, 'allow')
    assert.deepEqual([await send(), await send(), await send()], ['allow', 'allow', 'throttle'])
    const said = await would()
    assert.equal(said.effect, 'throttle')
    assert.deepEqual(said.effect === 'throttle' && said.reasons[0].exception?.changes, [
      { at: ['limits', 'address', 'exempt'], add: ['192.0.2.1'] },
    ])
    assert.equal((await would({ peer: '192.0.2.2' })).effect, 'allow')
    clock.advance(120_000)
    assert.equal((await would()).effect, 'allow')
  })

  test('counts what one request costs', async () => {
    const { send, would } = setUp([
      { name: 'address', limit: gcra({ rate: 1, per: '1h', burst: 5 }), cost: 3 },
    ])
    assert.equal((await would()).effect, 'allow')
    assert.equal(await send(), 'allow')
    assert.equal((await would()).effect, 'throttle')
  })

  test('names every limit that is spent, and no other', async () => {
    const { send, would } = setUp([
      { name: 'address', limit: window(1, '1m') },
      { name: 'mine', limit: window(1, '1m'), key: header('x-client') },
      { name: 'wide', limit: window(100, '1m') },
    ])
    const shape = { headers: ['X-Client', 'one'] }
    await send(shape)
    const said = await would(shape)
    assert.deepEqual(
      said.effect === 'throttle' && said.reasons[0].exception?.changes.map(({ at }) => at[1]),
      ['address', 'mine'],
    )
  })

  test('waits for keys that are read from a body', async () => {
    const { send, would } = setUp([{ name: 'email', limit: window(1, '1m'), key: body('email') }])
    const shape = { method: 'POST', headers: ['Content-Type', 'application/json'], body: '{"email":"a@b.c"}' }
    assert.equal((await would(shape)).effect, 'allow')
    await send(shape)
    assert.equal((await would(shape)).effect, 'throttle')
  })

  test('is nothing about a preflight, nor about principals before somebody is one', async () => {
    const { guard, engine, would, send } = setUp(
      [{ name: 'who', limit: window(1, '1m'), key: principal() }],
      'two',
    )
    await send()
    assert.equal((await would()).effect, 'allow')
    const exchange = open(engine)
    assert.equal((await guard.identified.wouldRefuse?.(exchange))?.effect, 'allow')
    exchange.setPrincipal({ kind: 'user', id: 'ann' })
    await guard.identified.decide(exchange)
    assert.equal((await guard.identified.wouldRefuse?.(exchange))?.effect, 'throttle')
    const preflight = {
      method: 'OPTIONS',
      headers: ['Origin', 'https://x.example', 'Access-Control-Request-Method', 'PUT'],
    }
    const spent = setUp([{ name: 'address', limit: window(1, '1m') }])
    await spent.send()
    assert.equal((await spent.would(preflight)).effect, 'allow')
    assert.equal((await spent.would()).effect, 'throttle')
  })
})
