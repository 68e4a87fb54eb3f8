import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ALLOW, Engine, type Guard, type Refusal, VirtualClock } from '../../src/index.ts'
import { source } from '../exchanges.ts'

function refusing(name: string, more: Partial<Guard> = {}): Guard {
  const refusal: Refusal = {
    effect: 'deny',
    guard: name,
    status: 403,
    reasons: [{ rule: `${name}/no`, message: 'No.', exception: { changes: [{ at: [name], set: false }] } }],
  }
  return { name, failure: 'closed', decide: () => refusal, wouldRefuse: () => refusal, ...more }
}

describe('guards behind the one that refused', () => {
  async function changesOf(...guards: readonly Guard[]): Promise<unknown> {
    const engine = new Engine({ guards, onError: () => {}, clock: new VirtualClock() })
    const decision = await engine.decide(engine.open(source()))
    return (decision as Refusal).reasons[0].exception?.changes.map(({ at }) => at[0])
  }

  test('are asked unless they do not say, or only observe', async () => {
    assert.deepEqual(await changesOf(refusing('one'), refusing('two'), refusing('three')), [
      'one',
      'two',
      'three',
    ])
    const silent: Guard = { name: 'two', failure: 'closed', decide: () => ALLOW }
    assert.deepEqual(await changesOf(refusing('one'), silent), ['one'])
    assert.deepEqual(await changesOf(refusing('one'), refusing('two', { mode: 'observe' })), ['one'])
  })

  test('leave no change when nothing lifts what they say', async () => {
    const never: Refusal = {
      effect: 'deny',
      guard: 'two',
      status: 403,
      reasons: [{ rule: 'two/no', message: 'No.' }],
    }
    assert.equal(await changesOf(refusing('one'), refusing('two', { wouldRefuse: () => never })), undefined)
  })

  test('that fail change nothing', async () => {
    const failing = refusing('two', {
      wouldRefuse: () => {
        throw new Error('broken')
      },
    })
    const rejecting = refusing('three', { wouldRefuse: () => Promise.reject(new Error('broken')) })
    assert.deepEqual(await changesOf(refusing('one'), failing, rejecting, refusing('four')), ['one', 'four'])
  })

  test('that wait for a body that does not come do not hold up the refusal', async () => {
    let timeIsUp = (): void => {}
    const engine = new Engine({
      guards: [refusing('one'), refusing('two', { wouldRefuse: () => new Promise(() => {}) })],
      timers: {
        after: (ms, call) => {
          assert.ok(ms <= 100)
          timeIsUp = call
          return () => {}
        },
      },
    })
    const decided = engine.decide(engine.open(source()))
    timeIsUp()
    assert.equal((await decided).effect, 'deny')
  })

  test('are not asked more than 20 times a second, so that a flood of refusals stays cheap', () => {
    let asked = 0
    const clock = new VirtualClock()
    const engine = new Engine({
      clock,
      guards: [
        refusing('one'),
        refusing('two', {
          wouldRefuse: () => {
            asked++
            return ALLOW
          },
        }),
      ],
    })
    const flood = (): void => {
      for (let i = 0; i < 100; i++) engine.decide(engine.open(source()))
    }
    flood()
    assert.equal(asked, 20)
    clock.advance(1_000)
    flood()
    assert.equal(asked, 40)
  })
})
