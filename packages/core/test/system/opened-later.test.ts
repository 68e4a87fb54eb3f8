import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OpenedLater, openedWhenAsked, StoreError } from '../../src/index.ts'

const away = new StoreError('does not answer', { store: 'redis', retryable: true })
const broken = new StoreError('was tampered with', { store: 'redis', retryable: false })

/** What is opened, in order; an error is a failed attempt. */
class Place {
  readonly said: string[] = []
  readonly #results: (string | Error)[]
  #next: (() => void) | undefined
  waited = 0
  cancelled = 0

  constructor(...results: (string | Error)[]) {
    this.#results = results
  }

  readonly open = async (): Promise<string> => {
    const result = this.#results.shift()
    if (result instanceof Error) throw result
    return result ?? assert.fail('opened too often')
  }

  readonly owner = {
    away: (error: StoreError): void => void this.said.push(`away ${error.message}`),
    back: (opened: string): void => void this.said.push(`back ${opened}`),
    failed: (error: unknown): void => void this.said.push(`failed ${(error as Error).message}`),
  }

  readonly timers = {
    after: (ms: number, call: () => void) => {
      this.waited = ms
      this.#next = call
      return () => {
        this.cancelled++
        this.#next = undefined
      }
    },
  }

  get isWaiting(): boolean {
    return this.#next !== undefined
  }

  /** Lets the next second pass. */
  async pass(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    next?.()
    await new Promise(resolve => setImmediate(resolve))
  }

  start(): Promise<OpenedLater<string>> {
    return OpenedLater.start(this.open, this.owner, this.timers)
  }
}

describe('a store that may be away at the start', () => {
  test('is there at once where it answers, and nobody is notified', async () => {
    const place = new Place('one')
    const opened = await place.start()
    assert.equal(opened.get(), 'one')
    assert.equal(opened.current, 'one')
    assert.deepEqual(place.said, [])
    assert.equal(place.isWaiting, false)
    assert.equal(await opened.stop(), 'one')
  })

  test('is tried each second until it answers', async () => {
    const place = new Place(away, away, 'two')
    const opened = await place.start()
    assert.equal(place.waited, 1_000)
    assert.equal(opened.current, undefined)
    assert.equal(opened.problem, 'redis: does not answer')
    assert.throws(() => opened.get(), away)
    await place.pass()
    assert.deepEqual(place.said, ['away redis: does not answer'])
    await place.pass()
    assert.deepEqual(place.said, ['away redis: does not answer', 'back two'])
    assert.equal(opened.get(), 'two')
    assert.equal(place.isWaiting, false)
  })

  test('is given up when it can never be used', async () => {
    const place = new Place(away, broken)
    const opened = await place.start()
    await place.pass()
    assert.deepEqual(place.said.slice(1), ['failed redis: was tampered with'])
    assert.equal(place.isWaiting, false)
    assert.equal(opened.problem, 'redis: was tampered with')
  })

  test('fails the start when it can never be used, or fails otherwise', async () => {
    for (const error of [broken, new TypeError('no')]) await assert.rejects(new Place(error).start(), error)
  })

  test('is not tried after it was stopped', async () => {
    const place = new Place(away)
    const opened = await place.start()
    assert.equal(await opened.stop(), undefined)
    assert.equal(place.cancelled, 1)
    assert.equal(place.isWaiting, false)
  })

  test('that comes while it is stopped is handed over, and its owner is not notified', async () => {
    const place = new Place(away, 'late')
    const opened = await place.start()
    const passed = place.pass()
    assert.equal(await opened.stop(), 'late')
    await passed
    assert.deepEqual(place.said, ['away redis: does not answer'])
  })
})

describe('what is opened when it is first asked for', () => {
  test('is opened once, also for those who ask meanwhile', async () => {
    let opened = 0
    const store = openedWhenAsked(async () => ++opened)
    assert.equal(await store.opened(), undefined)
    assert.deepEqual(await Promise.all([store.get(), store.get()]), [1, 1])
    assert.equal(await store.opened(), 1)
    assert.equal(await store.get(), 1)
  })

  test('is tried again by the next who asks after it failed', async () => {
    const place = new Place(away, 'two')
    const store = openedWhenAsked(place.open)
    const first = store.get()
    assert.equal(await store.opened(), undefined)
    await assert.rejects(first, away)
    assert.equal(await store.get(), 'two')
  })
})
