import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { VirtualClock } from '@postern/core'
import { memoryStore, sharedTable, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { BucketLocks } from '../src/memory/bucket-locks.ts'
import { holdsInAnyWindow, takesAllOrNothing } from './any-window.ts'

const LIMIT = limitName('address')

function admits(store: ReturnType<typeof memoryStore>, key: string, rule = window(100, '1m')): boolean {
  const question = new Question()
  question.ask(LIMIT, key, rule, 1)
  store.decide(question)
  return question.refused < 0
}

describe('limits in memory', () => {
  test('hold in any window, for every rule, whatever arrives when', async () => {
    await holdsInAnyWindow(clock => memoryStore({ clock, slots: 64 }), 400)
  })

  test('hold in any window above 65,535 units too, where counters are wider', () => {
    const clock = new VirtualClock()
    const store = memoryStore({ clock, slots: 64 })
    const rule = window(100_000, '8s')
    const question = new Question()
    const admitted: number[] = []
    for (let second = 0; second < 60; second++) {
      question.clear().ask(LIMIT, 'k', rule, 30_000)
      store.decide(question)
      admitted.push(question.refused < 0 ? 30_000 : 0)
      clock.advance(1_000)
    }
    for (let from = 0; from + 8 <= admitted.length; from++) {
      const units = admitted.slice(from, from + 8).reduce((sum, count) => sum + count, 0)
      assert.ok(units <= 100_000, `${units} from second ${from}`)
    }
    assert.ok(admitted.reduce((sum, count) => sum + count, 0) >= 3 * 90_000 * 2)
  })

  test('take all of a request or nothing', () =>
    takesAllOrNothing(clock => memoryStore({ clock, slots: 64 })))

  test('an administrator who sets the clock changes nothing', () => {
    const clock = new VirtualClock()
    const store = memoryStore({ clock, slots: 64 })
    for (let i = 0; i < 100; i++) assert.equal(admits(store, 'k'), true)
    clock.step(clock.now() + 86_400_000)
    assert.equal(admits(store, 'k'), false)
    clock.step(0)
    assert.equal(admits(store, 'k'), false)
  })

  test('keys that differ only in length, case or width of characters count apart', () => {
    const store = memoryStore({ slots: 1_024 })
    const once = window(1, '1m')
    const keys = [
      '',
      'a',
      'A',
      'a\0',
      'aa',
      'ā',
      'a\u0100',
      '\u0100a',
      'x'.repeat(300),
      'x'.repeat(301),
      '__proto__',
    ]
    for (const key of keys) assert.equal(admits(store, key, once), true, JSON.stringify(key))
    for (const key of keys) assert.equal(admits(store, key, once), false, JSON.stringify(key))
  })
})

describe('a flood of fresh keys', () => {
  /** `POSTERN_LONG=1` runs the long form. */
  const FLOOD = process.env['POSTERN_LONG'] === '1' ? 10_000_000 : 1_000_000

  test(`of ${FLOOD} leaves memory as it is, and callers who are refused stay refused`, () => {
    const clock = new VirtualClock()
    const store = memoryStore({ clock, slots: 131_072 })
    const { bytes } = store.figures()
    const refused = Array.from({ length: 1_000 }, (_, i) => `refused-${i}`)
    for (const key of refused) while (admits(store, key));
    const rule = window(100, '1m')
    const question = new Question()
    for (let i = 0; i < FLOOD; i++) {
      question.clear().ask(LIMIT, `fresh-${i}`, rule, 1)
      store.decide(question)
      if (i % 1_000 === 0) clock.advance(4)
    }
    assert.equal(store.figures().bytes, bytes)
    assert.equal(bytes, 131_072 * 32)
    assert.ok(store.figures().liveEvictions > FLOOD / 2, 'evictions are counted')
    // The flood took up to 40 s of the minute: nobody's window has passed.
    if (FLOOD <= 10_000_000) for (const key of refused) assert.equal(admits(store, key), false, key)
  })

  test('keys built to collide under another seed spread evenly under this one', () => {
    const fill = (make: (i: number) => string): number => {
      const store = memoryStore({ slots: 65_536 })
      for (let i = 0; i < 40_000; i++) admits(store, make(i))
      return store.figures().liveEvictions
    }
    // Runs that differ in one place, in the high bits, in swapped pairs and by 31: what breaks the hashes of
    // the past.
    assert.ok(fill(i => `${'a'.repeat(i % 200)}${i}`) <= 40)
    assert.ok(fill(i => String.fromCharCode(i & 0xff, i >> 8, 0x80, 0x80)) <= 40)
    assert.ok(
      fill(i => [...i.toString(2).padStart(16, '0')].map(bit => (bit === '1' ? 'Aa' : 'BB')).join('')) <= 40,
    )
    assert.ok(fill(i => String.fromCharCode(0x4e00 + (i & 0xff), 0x4e00 + (i >> 8))) <= 40)
  })

  test('a table with two keys for three slots forgets next to nobody', () => {
    const store = memoryStore({ slots: 65_536 })
    const keys = Math.floor((65_536 * 2) / 3)
    for (let i = 0; i < keys; i++) admits(store, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    assert.ok(store.figures().liveEvictions <= keys / 1_000)
  })
})

describe('worker threads that share a table', () => {
  const WORKER = new URL('./sharing-worker.ts', import.meta.url)

  test('admit exactly the limit between them', async () => {
    const table = sharedTable({ slots: 4_096 })
    const admitted = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const worker = new Worker(WORKER, { workerData: { table, keys: 20, tries: 2_000, limit: 1_000 } })
        const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>()
        worker.once('message', resolve)
        worker.once('error', reject)
        return promise
      }),
    )
    const perKey = Array.from({ length: 20 }, (_, key) =>
      admitted.reduce((sum, own) => sum + (own[key] ?? 0), 0),
    )
    assert.deepEqual(
      perKey,
      Array.from({ length: 20 }, () => 1_000),
    )
  })

  test('count like one store in one thread', () =>
    holdsInAnyWindow(clock => memoryStore({ clock, table: sharedTable({ slots: 64 }) }), 100))

  test('a lock whose holder died is taken over', () => {
    const words = new Int32Array(new SharedArrayBuffer(64))
    const dead = new BucketLocks(words, 1, 4)
    dead.want(3)
    dead.lock()
    const alive = new BucketLocks(words, 2, 4)
    alive.want(3)
    alive.want(5)
    alive.lock()
    assert.equal(words[3], 2)
    dead.unlock()
    assert.equal(words[3], 2, 'who lost a lock cannot take it from the new holder')
    alive.unlock()
    assert.deepEqual([words[3], words[5]], [0, 0])
  })
})
