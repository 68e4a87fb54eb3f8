import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryStore, sharedTable, throttle, window } from '../src/index.ts'
import { BucketLocks } from '../src/memory/bucket-locks.ts'
import { openSharedTable } from '../src/memory/shared-table.ts'
import { engineWith, open } from './exchanges.ts'

describe('locks of buckets', () => {
  const two = () => {
    const words = new Int32Array(new SharedArrayBuffer(64))
    return { words, mine: new BucketLocks(words, 1, 8), others: new BucketLocks(words, 2, 8) }
  }

  test('are taken in ascending order, each once, and all given back', () => {
    const { words, mine } = two()
    for (const bucket of [5, 2, 9, 2, 5]) mine.want(bucket)
    mine.lock()
    assert.deepEqual(
      [...words].flatMap((mark, bucket) => (mark === 1 ? [bucket] : [])),
      [2, 5, 9],
    )
    mine.unlock()
    assert.ok(words.every(mark => mark === 0))
    mine.want(3)
    mine.lock()
    assert.deepEqual([words[2], words[3]], [0, 1], 'what was wanted before is not wanted again')
    mine.unlock()
  })

  test('one more is taken only when it is free, and given back alone', () => {
    const { words, mine, others } = two()
    mine.want(2)
    mine.want(4)
    mine.lock()
    others.want(7)
    others.lock()
    assert.equal(mine.tryLock(7), 'busy')
    mine.unlockTried()
    assert.equal(words[7], 2, 'the lock of another thread stays')
    assert.equal(mine.tryLock(4), 'locked', 'it is one of this decision already')
    mine.unlockTried()
    assert.equal(words[4], 1, 'and stays locked for it')
    assert.equal(mine.tryLock(3), 'locked')
    assert.equal(words[3], 1)
    mine.unlockTried()
    mine.unlockTried()
    assert.deepEqual([words[2], words[3], words[4]], [1, 0, 1])
    mine.unlock()
    others.unlock()
    assert.ok(words.every(mark => mark === 0))
  })

  test('that another thread took over are not given back by who had them before', () => {
    const { words, mine } = two()
    mine.want(1)
    mine.lock()
    words[1] = 2
    mine.unlock()
    assert.equal(words[1], 2)
  })
})

describe('a table that threads share', () => {
  test('counts its time from when it was made', () => {
    const before = performance.now()
    const { now } = openSharedTable(sharedTable({ slots: 64 }))
    const first = now()
    assert.ok(first >= 0 && first <= performance.now() - before, `${first} ms`)
    assert.ok(now() >= first)
  })
})

describe('forgetting a key', () => {
  for (const [kind, options] of [
    ['of this process', { slots: 4_096 }],
    ['that threads share', { table: sharedTable({ slots: 4_096 }) }],
  ] as const)
    test(`in a table ${kind} frees that key, whichever bucket holds it, and no other`, async () => {
      const guard = throttle({ store: memoryStore(options), limits: [{ name: 'a', limit: window(2, '1h') }] })
      const engine = engineWith(guard)
      const peers = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
      for (const peer of peers) await engine.decide(open(engine, { peer }))
      for (const peer of peers.slice(0, 150)) await guard.reset(peer)
      const left = await Promise.all(peers.map(async peer => (await guard.peek('a', peer))?.remaining))
      assert.deepEqual(left, [...Array<number>(150).fill(2), ...Array<number>(150).fill(1)])
    })
})
