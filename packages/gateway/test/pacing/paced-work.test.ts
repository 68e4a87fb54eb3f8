import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PacedWork } from '../../src/pacing/paced-work.ts'

/** A clock that stands until it is moved, and the call that waits for it. */
function virtualPace(each: number, every: number) {
  let time = 0
  let planned: { at: number; call: () => void } | undefined
  const done: number[] = []
  const pace = new PacedWork({
    each: () => each,
    every,
    now: () => time,
    later: (ms, call) => {
      assert.equal(planned, undefined, 'one turn is planned at a time')
      planned = { at: time + ms, call }
    },
  })
  const add = (count: number): void => {
    const from = done.length + pace.waiting
    for (let i = 0; i < count; i++) pace.add(() => void done.push(from + i))
  }
  const advance = (ms: number): void => {
    const end = time + ms
    while (planned !== undefined && planned.at <= end) {
      const { at, call } = planned
      planned = undefined
      time = at
      call()
    }
    time = end
  }
  return { pace, done, add, advance, isPlanned: () => planned !== undefined }
}

describe('work that a crowd asks for at once', () => {
  test('is done at once while there is little of it', () => {
    const { pace, done, add, advance, isPlanned } = virtualPace(4, 20)
    for (let turn = 0; turn < 10; turn++) {
      add(4)
      assert.equal(done.length, (turn + 1) * 4)
      advance(20)
    }
    assert.deepEqual([pace.waiting, isPlanned()], [0, false])
  })

  test('waits beyond that, in the order in which it came, so many pieces a turn', () => {
    const { pace, done, add, advance, isPlanned } = virtualPace(4, 20)
    add(4_000)
    assert.equal(done.length, 4)
    advance(20)
    assert.equal(done.length, 8)
    advance(1_000)
    assert.equal(done.length, 4 + 51 * 4)
    advance(60_000)
    assert.deepEqual(
      done,
      Array.from({ length: 4_000 }, (_, i) => i),
    )
    assert.deepEqual([pace.waiting, isPlanned()], [0, false])
  })

  test('that comes while others wait does not overtake them', () => {
    const { done, add, advance } = virtualPace(2, 10)
    add(5)
    advance(10)
    assert.equal(done.length, 4)
    add(2)
    advance(100)
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6])
  })

  test('may ask for more work itself', () => {
    const { pace, done, advance } = virtualPace(1, 10)
    pace.add(() => {
      pace.add(() => done.push(1))
      pace.add(() => done.push(2))
    })
    advance(10)
    assert.deepEqual(done, [1])
    advance(10)
    assert.deepEqual(done, [1, 2])
  })
})
