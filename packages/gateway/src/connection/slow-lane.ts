import type { Socket } from 'node:net'

/**
 * What a connection waits for: the rest of a request `head` (or its beginning), the rest of a `body`, or
 * `nothing` of the client's, because an answer or a tunnel is under way.
 */
export type Awaits = 'head' | 'body' | 'nothing'

/** Where a connection stands. */
export interface Standing {
  readonly awaits: Awaits
  /** Requests that have begun on it. */
  readonly requests: number
}

export interface SlowLaneOptions {
  readonly standing: (socket: Socket) => Standing
  /** No connection waits longer than this for its turn, milliseconds. */
  readonly longestWait: number
  /** Calls once after so many milliseconds. */
  readonly later: (ms: number, call: () => void) => void
}

/** How often a part of all connections is looked at; all of them in ten such parts. */
const LOOK_MS = 100
const PARTS = 10
/** A client that sends less than this between two looks, and completes nothing, drips. */
const DRIP_BYTES = 1_024
/** Looks in a row that find it dripping before its connection is slow. */
const PATIENCE = 2
/** So many slow connections are read as all others are: their writes are not a burst. */
const FREE = 64
/** How long a slow connection is read when its turn comes. */
const TURN_MS = 10

interface Seat {
  readonly socket: Socket
  bytes: number
  requests: number
  drips: number
}

/**
 * Reads connections whose requests come in drips one group after another. Thousands of clients that each send
 * a few bytes a second, at the same moment, are thousands of reads in one turn of the event loop, and every
 * other request waits for it. Here most of them are not read at a given moment: what they send waits in the
 * kernel, a group is read for one short turn, then the next. Nothing is lost, nobody is refused, and while
 * fewer than 64 are slow nothing is different for them at all.
 *
 * Costs nothing per request: connections are looked at about once a second.
 */
export class SlowLane {
  readonly #options: SlowLaneOptions
  readonly #seats = new Set<Seat>()
  readonly #slow = new Set<Seat>()
  #looking: Iterator<Seat> | undefined = undefined
  #turning: Iterator<Seat> | undefined = undefined
  #reading: Seat[] = []
  #looksAgain = false
  #turnsAgain = false

  constructor(options: SlowLaneOptions) {
    this.#options = options
  }

  /** Connections that are slow now. */
  get size(): number {
    return this.#slow.size
  }

  /** Watches a connection of HTTP/1 from now on, until it is closed. */
  add(socket: Socket): void {
    this.#seats.add({ socket, bytes: socket.bytesRead, requests: 0, drips: 0 })
    if (this.#looksAgain) return
    this.#looksAgain = true
    this.#options.later(LOOK_MS, () => this.#look())
  }

  /** Looks at the next part of all connections. */
  #look(): void {
    this.#looking ??= this.#seats.values()
    for (let left = Math.ceil(this.#seats.size / PARTS); left > 0; left--) {
      const { value: seat, done } = this.#looking.next()
      if (done === true) {
        this.#looking = undefined
        break
      }
      if (seat.socket.destroyed) this.#forget(seat)
      else if (!this.#slow.has(seat)) this.#judge(seat)
    }
    this.#looksAgain = this.#seats.size > 0
    if (this.#looksAgain) this.#options.later(LOOK_MS, () => this.#look())
    if (this.#slow.size > FREE && !this.#turnsAgain) {
      this.#turnsAgain = true
      this.#turn()
    }
  }

  #judge(seat: Seat): void {
    const { awaits, requests } = this.#options.standing(seat.socket)
    const bytes = seat.socket.bytesRead
    const came = bytes - seat.bytes
    const drips = awaits !== 'nothing' && requests === seat.requests && came > 0 && came < DRIP_BYTES
    seat.bytes = bytes
    seat.requests = requests
    seat.drips = drips ? seat.drips + 1 : 0
    if (seat.drips >= PATIENCE) this.#slow.add(seat)
  }

  #forget(seat: Seat): void {
    this.#seats.delete(seat)
    this.#slow.delete(seat)
  }

  /** Ends the turn of those that are read, and begins that of the next. */
  #turn(): void {
    for (const seat of this.#reading) this.#endTurn(seat)
    this.#reading = []
    if (this.#slow.size <= FREE) {
      this.#release()
      return
    }
    const group = Math.ceil((this.#slow.size * TURN_MS) / this.#options.longestWait)
    this.#turning ??= this.#slow.values()
    while (this.#reading.length < group) {
      const { value: seat, done } = this.#turning.next()
      if (done === true) {
        this.#turning = undefined
        break
      }
      if (seat.socket.destroyed) this.#forget(seat)
      else this.#beginTurn(seat)
    }
    this.#options.later(TURN_MS, () => this.#turn())
  }

  #beginTurn(seat: Seat): void {
    const { awaits, requests } = this.#options.standing(seat.socket)
    seat.bytes = seat.socket.bytesRead
    seat.requests = requests
    if (awaits === 'nothing') this.#slow.delete(seat)
    else this.#reading.push(seat)
    seat.socket.resume()
  }

  /** A client that has become fast, or whose request is complete, leaves the lane. */
  #endTurn(seat: Seat): void {
    const { socket } = seat
    if (socket.destroyed) {
      this.#forget(seat)
      return
    }
    const { awaits, requests } = this.#options.standing(socket)
    const isFast = socket.bytesRead - seat.bytes >= DRIP_BYTES
    if (awaits !== 'nothing' && requests === seat.requests && !isFast) {
      socket.pause()
      return
    }
    seat.drips = 0
    this.#slow.delete(seat)
  }

  /** Few are left: they are read as all others are. */
  #release(): void {
    for (const seat of this.#slow) {
      seat.drips = 0
      if (!seat.socket.destroyed) seat.socket.resume()
    }
    this.#slow.clear()
    this.#turning = undefined
    this.#turnsAgain = false
  }
}
