import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { SlowLane, type Standing } from '../../src/connection/slow-lane.ts'
import { exchangeBytes, RawClient, start, startBackend } from '../harness.ts'

/** What the lane sees of a connection. */
class FakeSocket {
  destroyed = false
  isRead = true
  bytesRead = 0
  /** What its client has sent; it counts as read while the connection is. */
  #waiting = 0
  standing: Standing = { awaits: 'head', requests: 0 }

  send(bytes: number): void {
    if (this.isRead) this.bytesRead += bytes
    else this.#waiting += bytes
  }

  pause(): void {
    this.isRead = false
  }

  resume(): void {
    this.isRead = true
    this.bytesRead += this.#waiting
    this.#waiting = 0
  }
}

/** A lane on a clock that moves only by hand. */
function virtualLane(longestWait: number) {
  let time = 0
  const planned: { at: number; call: () => void }[] = []
  const lane = new SlowLane({
    standing: socket => (socket as unknown as FakeSocket).standing,
    longestWait,
    later: (ms, call) => void planned.push({ at: time + ms, call }),
  })
  const sockets: FakeSocket[] = []
  return {
    lane,
    sockets,
    planned,
    add: (count: number): void => {
      for (let i = 0; i < count; i++) {
        const socket = new FakeSocket()
        sockets.push(socket)
        lane.add(socket as unknown as Socket)
      }
    },
    /** Calls `each` every ten milliseconds. */
    advance: (ms: number, each: (time: number) => void = () => undefined): void => {
      for (const end = time + ms; time < end; ) {
        time += 10
        for (const plan of planned.filter(({ at }) => at <= time)) {
          planned.splice(planned.indexOf(plan), 1)
          plan.call()
        }
        each(time)
      }
    },
  }
}

/** Every connection sends ten bytes, all in the same moment of each second. */
function drip(sockets: readonly FakeSocket[]): (time: number) => void {
  return time => {
    if (time % 1_000 === 0) for (const socket of sockets) socket.send(10)
  }
}

/** One after another: waits for its answer, asks again and again, uploads, has nothing to say. */
const HONEST: readonly ((time: number) => Standing)[] = [
  () => ({ awaits: 'nothing', requests: 1 }),
  time => ({ awaits: 'head', requests: time }),
  () => ({ awaits: 'body', requests: 1 }),
  () => ({ awaits: 'head', requests: 0 }),
]
const SENT: readonly number[] = [100, 100, 2_000, 0]

const read = (sockets: readonly FakeSocket[]): number => sockets.filter(({ isRead }) => isRead).length

describe('connections whose requests come in drips', () => {
  test('are read as all others while they are few', () => {
    const { lane, sockets, add, advance } = virtualLane(4_000)
    add(64)
    advance(10_000, drip(sockets))
    assert.equal(lane.size, 64)
    assert.equal(read(sockets), 64)
  })

  test('are read a few at a time when they are many, and each in time', () => {
    const { sockets, add, advance } = virtualLane(4_000)
    add(2_000)
    advance(8_000, drip(sockets))
    const before = sockets.map(({ bytesRead }) => bytesRead)
    let most = 0
    advance(5_000, time => {
      drip(sockets)(time)
      most = Math.max(most, read(sockets))
    })
    assert.ok(most <= 10, `${most} were read at once`)
    for (const [i, { bytesRead }] of sockets.entries()) assert.ok(bytesRead > (before[i] as number))
  })

  test('leave the lane when their request is complete or they become fast', () => {
    const { lane, sockets, add, advance } = virtualLane(1_000)
    add(200)
    advance(6_000, drip(sockets))
    assert.equal(lane.size, 200)
    const [complete, fast] = sockets as [FakeSocket, FakeSocket]
    complete.standing = { awaits: 'nothing', requests: 1 }
    fast.send(5_000)
    advance(2_000)
    assert.equal(lane.size, 198)
    assert.ok(complete.isRead && fast.isRead)
  })

  test('are all read again when few are left', () => {
    const { lane, sockets, add, advance } = virtualLane(1_000)
    add(200)
    advance(6_000, drip(sockets))
    for (const socket of sockets.slice(0, 150)) socket.destroyed = true
    advance(4_000)
    assert.equal(lane.size, 0)
    assert.equal(read(sockets.slice(150)), 50)
  })

  test('are those only that wait for the client, and none that completes requests or sends much', () => {
    const { lane, sockets, add, advance } = virtualLane(4_000)
    add(400)
    advance(10_000, time => {
      if (time % 1_000 !== 0) return
      for (const [i, socket] of sockets.entries()) {
        socket.standing = HONEST[i % 4]?.(time) ?? socket.standing
        socket.send(SENT[i % 4] ?? 0)
      }
    })
    assert.equal(lane.size, 0)
    assert.equal(read(sockets), 400)
  })

  test('cost nothing when they are gone', () => {
    const { sockets, add, advance, planned } = virtualLane(4_000)
    add(300)
    advance(6_000, drip(sockets))
    for (const socket of sockets) socket.destroyed = true
    advance(12_000)
    assert.equal(planned.length, 0)
  })
})

test('hundreds of slow heads and bodies that end in time are all served', { timeout: 60_000 }, async t => {
  const backend = await startBackend(t, (request, response) => {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => response.end(`read ${length}`))
  })
  const { port } = await start(t, backend.url, { timeouts: { head: '60s', bodyProgress: '60s' } })
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-A: '
  const body = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n'
  const clients = Array.from({ length: 160 }, (_, i) => ({
    client: new RawClient(port),
    slowly: i % 5 !== 0,
  }))
  for (const { client, slowly } of clients) client.write(slowly ? head : body)
  let sent = 0
  const dripping = setInterval(() => {
    sent++
    for (const { client } of clients) client.write('x')
  }, 100)
  t.after(() => clearInterval(dripping))
  // Long enough for the lane to hold all of them: whoever is fast is served meanwhile.
  for (let i = 0; i < 30; i++) {
    const good = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(good, /read 0$/)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  clearInterval(dripping)
  const rest = 'x'.repeat(10_000 - sent)
  for (const { client, slowly } of clients) client.write(slowly ? '\r\nConnection: close\r\n\r\n' : rest)
  for (const { client, slowly } of clients) {
    const answer = await client.untilClosed()
    assert.match(answer, slowly ? /^HTTP\/1\.1 200 [\s\S]*read 0$/ : /^HTTP\/1\.1 200 [\s\S]*read 10000$/)
  }
})
