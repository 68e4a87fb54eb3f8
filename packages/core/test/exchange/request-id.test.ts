import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestIds } from '../../src/exchange/request-id.ts'
import { isRequestId, type RandomSource, VirtualClock } from '../../src/index.ts'

const fixed: RandomSource = { bytes: count => new Uint8Array(count).fill(7) }

describe('a request id', () => {
  test('is 20 letters and digits, and never the same twice', () => {
    const next = requestIds(new VirtualClock())
    const ids = new Set(Array.from({ length: 100_000 }, next))
    assert.equal(ids.size, 100_000)
    for (const id of ids) assert.ok(isRequestId(id))
  })

  test('sorts by the time of arrival', () => {
    const clock = new VirtualClock()
    const next = requestIds(clock, fixed)
    const ids: string[] = []
    for (let i = 0; i < 1_000; i++) {
      clock.advance(i % 50)
      ids.push(next())
    }
    assert.deepEqual([...ids].sort(), ids)
  })

  test('is nine characters of time, six of the process and five of a count', () => {
    const clock = new VirtualClock()
    const next = requestIds(clock, { bytes: count => Uint8Array.from({ length: count }, (_, i) => 31 + i) })
    const [first = '', second = ''] = [next(), next()]
    assert.equal(first.slice(9, 15), 'z01234')
    assert.equal(first.slice(15), '00001')
    assert.equal(second.slice(15), '00002')
    clock.advance(1)
    assert.equal([...next().slice(0, 9)].filter((letter, i) => letter !== first[i]).length, 1)
  })

  test('differs between processes that started at the same time', () => {
    const clock = new VirtualClock()
    assert.notEqual(requestIds(clock)(), requestIds(clock)())
  })

  test('is distinguished from any other text', () => {
    const id = requestIds(new VirtualClock(), fixed)()
    assert.ok(isRequestId(id))
    for (const text of [
      '',
      id.slice(1),
      `${id}0`,
      id.toUpperCase(),
      `${id.slice(1)}i`,
      `${id.slice(1)}<`,
      `${id}\n`,
    ]) {
      assert.ok(!isRequestId(text), text)
    }
  })
})
