import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '@postern/core'
import { laterStore, memoryStore, window } from '../src/index.ts'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { settled, VirtualTimers } from './virtual-timers.ts'

const NAME = limitName('address')
const RULE = window(1, '1m')

function asked(): Question {
  const question = new Question()
  question.ask(NAME, 'k', RULE, 1)
  return question
}

/** Refuses to be prepared so many times, and notes what is asked of the store it then is. */
function preparedAfter(failures: number) {
  let tries = 0
  const inner = memoryStore({ slots: 64 })
  const calls: string[] = []
  const store: LimitStore = {
    name: 'postgres',
    decide: question => inner.decide(question),
    release: () => void calls.push('release'),
    reset: (limit, key) => {
      calls.push('reset')
      return inner.reset(limit, key)
    },
    health: () => inner.health(),
    close: async () => void calls.push('close'),
  }
  const prepare = async (): Promise<LimitStore> => {
    if (tries++ < failures) throw new Error(`refused ${tries} times`)
    return store
  }
  return { prepare, calls, tries: () => tries }
}

test('a store whose server was away at the start rejects every question until it is there', async () => {
  const timers = new VirtualTimers()
  const { prepare, calls, tries } = preparedAfter(2)
  const store = laterStore('postgres', prepare, timers)
  assert.equal(tries(), 0, 'the first try was the one that failed at the start')
  await assert.rejects(async () => store.decide(asked()), {
    name: 'StoreError',
    message: /is not connected yet/,
    retryable: true,
  })
  await assert.rejects(async () => store.reset(NAME, 'k'), StoreError)
  store.release(NAME, 'k', RULE, 1, 1)
  await timers.advance(999)
  assert.equal(tries(), 0)
  await timers.advance(1)
  assert.equal(tries(), 1)
  assert.deepEqual(store.health(), {
    name: 'limits',
    ok: false,
    required: false,
    detail: 'refused 1 times',
  })
  await assert.rejects(async () => store.decide(asked()), /refused 1 times/)
  await timers.advance(1_000)
  assert.equal(tries(), 2)
  await timers.advance(1_000)
  assert.equal(store.health().ok, true)
  const [first, second] = [asked(), asked()]
  await store.decide(first)
  await store.decide(second)
  assert.deepEqual([first.refused, second.refused], [-1, 0])
  await store.reset(NAME, 'k')
  store.release(NAME, 'k', RULE, 1, 1)
  await timers.advance(60_000)
  assert.equal(tries(), 3, 'prepared once, it is not prepared again')
  await store.close()
  assert.deepEqual(calls, ['reset', 'release', 'close'])
})

test('closed while its server is away, it is not tried again', async () => {
  const timers = new VirtualTimers()
  const { prepare, tries } = preparedAfter(Number.POSITIVE_INFINITY)
  const store = laterStore('postgres', prepare, timers)
  await timers.advance(1_000)
  await store.close()
  await timers.advance(10_000)
  assert.equal(tries(), 1)
})

test('closed while it is being prepared, it closes what was prepared', async () => {
  const timers = new VirtualTimers()
  const { prepare, calls } = preparedAfter(0)
  const gate = Promise.withResolvers<void>()
  const store = laterStore('postgres', () => gate.promise.then(prepare), timers)
  await timers.advance(1_000)
  await store.close()
  gate.resolve()
  await settled()
  assert.deepEqual(calls, ['close'])
})

test('a failure that is not an error leaves the text as it was', async () => {
  const timers = new VirtualTimers()
  const store = laterStore('postgres', () => Promise.reject('text'), timers)
  await timers.advance(1_000)
  assert.equal(store.health().detail, 'is not connected yet')
})
