import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BackendSlots, type SlotHolder } from '../../src/backend/backend-slots.ts'

const never = (): void => undefined

class Request implements SlotHolder {
  readonly client: string
  stalledSince: number | undefined = undefined
  begun = 0
  isCutOff = false
  readonly #slots: BackendSlots

  constructor(slots: BackendSlots, client: string) {
    this.#slots = slots
    this.client = client
  }

  begin(): void {
    this.begun++
  }

  cutOff(): void {
    this.isCutOff = true
    this.#slots.release(this)
  }
}

function taken(slots: BackendSlots, client: string, count: number): readonly Request[] {
  return Array.from({ length: count }, () => {
    const request = new Request(slots, client)
    slots.take(request)
    return request
  })
}

function stall(slots: BackendSlots, requests: readonly Request[], since: number): void {
  for (const request of requests) {
    request.stalledSince = since
    slots.stalled(request)
  }
}

const begun = (requests: readonly Request[]): number => requests.filter(request => request.begun === 1).length

describe('connections to the backend', () => {
  test('one client holds a quarter of them; the rest of its requests wait for its own', () => {
    const slots = new BackendSlots({ total: 16, now: () => 0, later: never })
    const greedy = taken(slots, '192.0.2.1', 10)
    assert.equal(begun(greedy), 4)
    assert.equal(begun(taken(slots, '192.0.2.2', 1)), 1)
    slots.release(greedy[0] as Request)
    assert.equal(begun(greedy), 5)
    assert.equal(slots.busy, 5)
  })

  test('a request whose client left while it waited is never begun', () => {
    const slots = new BackendSlots({ total: 4, now: () => 0, later: never })
    const [first, second, third] = taken(slots, '192.0.2.1', 3) as [Request, Request, Request]
    slots.forget(second)
    slots.release(first)
    assert.deepEqual([second.begun, third.begun], [0, 1])
  })

  test('some stay free for clients that hold none, however many clients hold some', () => {
    const slots = new BackendSlots({ total: 64, now: () => 0, later: never })
    const greedy = Array.from({ length: 8 }, (_, i) => taken(slots, `198.51.100.${i}`, 20)).flat()
    assert.equal(begun(greedy), slots.busy)
    assert.ok(slots.busy < 64)
    assert.equal(begun(taken(slots, '192.0.2.1', 1)), 1)
  })

  test('who holds none comes before all who wait for another', () => {
    const slots = new BackendSlots({ total: 2, now: () => 0, later: never })
    const [first] = taken(slots, 'a', 3)
    const [second] = taken(slots, 'b', 3)
    const late = taken(slots, 'c', 1)
    assert.equal(begun(late), 0)
    slots.release(first as Request)
    assert.equal(begun(late), 1)
    slots.release(second as Request)
    assert.equal(slots.busy, 2)
  })

  test('clients that stopped reading lose theirs to clients that have none, the longest stalled first', () => {
    let now = 0
    const slots = new BackendSlots({ total: 4, now: () => now, later: never })
    const readers = ['a', 'b', 'c', 'd'].flatMap(client => taken(slots, client, 1))
    stall(slots, readers.slice(0, 2), 0)
    stall(slots, readers.slice(2, 3), 900)
    now = 1_500
    assert.equal(begun(taken(slots, 'g', 1)), 1)
    assert.deepEqual(
      readers.map(reader => reader.isCutOff),
      [true, false, false, false],
    )
    assert.equal(begun(taken(slots, 'h', 1)), 1)
    assert.equal(begun(taken(slots, 'i', 1)), 0)
    assert.deepEqual(
      readers.map(reader => reader.isCutOff),
      [true, true, false, false],
    )
  })

  test('a client that pauses for less than a second, or reads again, keeps its own', () => {
    let now = 0
    const slots = new BackendSlots({ total: 3, now: () => now, later: never })
    const [first, second, third] = ['a', 'b', 'c'].map(client => taken(slots, client, 1)[0]) as [
      Request,
      Request,
      Request,
    ]
    stall(slots, [first], 0)
    stall(slots, [second], 4_500)
    first.stalledSince = undefined
    slots.reads(first)
    now = 5_000
    taken(slots, 'd', 1)
    assert.deepEqual(
      [first, second, third].map(reader => reader.isCutOff),
      [false, false, false],
    )
  })

  test('it looks again while clients wait: who asks last need not wait for another request', () => {
    let now = 0
    const calls: (() => void)[] = []
    const slots = new BackendSlots({ total: 3, now: () => now, later: (_ms, call) => calls.push(call) })
    const readers = ['a', 'b', 'c'].map(client => taken(slots, client, 1)[0]) as Request[]
    stall(slots, readers, 0)
    now = 500
    taken(slots, 'd', 1)
    assert.equal(readers.filter(reader => reader.isCutOff).length, 0)
    now = 1_000
    for (const call of calls.splice(0)) call()
    assert.equal(readers.filter(reader => reader.isCutOff).length, 1)
    assert.equal(calls.length, 0)
  })

  test('streams of events do not count: an office that keeps 200 open gets its next page', () => {
    const slots = new BackendSlots({ total: 64, now: () => 0, later: never })
    for (let i = 0; i < 200; i++) for (const stream of taken(slots, 'office', 1)) slots.streams(stream)
    assert.equal(slots.busy, 0)
    const [page] = taken(slots, 'office', 1)
    assert.equal(page?.begun, 1)
    slots.release(page as Request)
    assert.equal(slots.busy, 0)
  })

  test('nothing is cut off while there are connections to spare', () => {
    const slots = new BackendSlots({ total: 100, now: () => 100_000, later: never })
    const stalled = taken(slots, 'a', 20)
    stall(slots, stalled, 0)
    taken(slots, 'b', 20)
    assert.equal(stalled.filter(request => request.isCutOff).length, 0)
  })

  test('whatever happens in whatever order, counts fit and nobody holds more than the share', () => {
    const step = fc.record({
      client: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      act: fc.nat(3),
      at: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const world = new World()
        for (const { client, act, at } of steps) world.step(client, act, at)
      }),
    )
  })
})

/** Requests that come, end, leave and stall in any order, with what must hold after each step. */
class World {
  #now = 0
  readonly #slots = new BackendSlots({ total: 12, now: () => this.#now, later: never })
  readonly #all: Request[] = []
  readonly #done = new Set<Request>()

  step(client: string, act: number, at: number): void {
    this.#now += 300
    const request = this.#all[at % Math.max(1, this.#all.length)]
    if (act === 0 || request === undefined) this.#come(client)
    else if (this.#isHolding(request)) this.#hold(request, act)
    else if (request.begun === 0 && act === 2) this.#leave(request)
    this.#check()
  }

  #come(client: string): void {
    const request = new Request(this.#slots, client)
    this.#all.push(request)
    this.#slots.take(request)
  }

  #hold(request: Request, act: number): void {
    if (act === 3) stall(this.#slots, [request], this.#now)
    if (act !== 1) return
    this.#done.add(request)
    this.#slots.release(request)
  }

  #leave(request: Request): void {
    this.#done.add(request)
    this.#slots.forget(request)
  }

  #isHolding(request: Request): boolean {
    return request.begun === 1 && !this.#done.has(request) && !request.isCutOff
  }

  #check(): void {
    const holding = this.#all.filter(request => this.#isHolding(request))
    assert.equal(this.#slots.busy, holding.length)
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      assert.ok(holding.filter(one => one.client === name).length <= 3)
    assert.ok(this.#all.every(one => one.begun <= 1))
  }
}
