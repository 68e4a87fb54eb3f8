/** One request that wants a connection to the backend. */
export interface SlotHolder {
  /** The client it is held against: an address, or an IPv6 /56. */
  readonly client: string
  /** Starts the request: a connection is free for it. */
  begin(): void
  /**
   * Since when its client has taken nothing of the answer, monotonic milliseconds; undefined while it reads.
   */
  readonly stalledSince: number | undefined
  /** Gives its connection up: others need it more. */
  cutOff(): void
}

export interface BackendSlotsOptions {
  /** Connections to the backend. */
  readonly total: number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Calls once after so many milliseconds. */
  readonly later: (ms: number, call: () => void) => void
}

/** The part of all connections that one client may hold. */
const SHARE = 1 / 4
/**
 * How many connections must be free for each that a client holds, before it gets another. Without it many
 * clients, each within its share, hold all of them; with it some stay free for those who hold none (dynamic
 * thresholds, Choudhury and Hahne 1998).
 */
const FREE_FOR_EACH = 4
/** How long a client may stall while others wait for a connection. Honest readers pause for much less. */
const PATIENCE_MS = 1_000
const LOOK_AGAIN_MS = 250
/** Streams of events that may be open for each connection that answers other requests. */
const STREAMS_FOR_EACH = 4
/** Sockets that each of the connections to the backend, as they are configured, may need. */
export const FILES_OF_BACKEND_CONNECTION: number = 1 + STREAMS_FOR_EACH
/** Waiting clients that are looked at when a connection becomes free. */
const LOOKED_AT = 16

/**
 * Shares the connections to the backend among clients. A client that holds none begins as soon as one is
 * free, before all others; one that holds some gets another only while enough are free, and a quarter of all
 * at most. What finds none waits for its turn, client after client. While clients wait that hold none,
 * answers whose clients have stopped reading are cut off, the longest stalled first.
 */
export class BackendSlots {
  readonly #total: number
  readonly #share: number
  readonly #now: () => number
  readonly #later: BackendSlotsOptions['later']
  readonly #held = new Map<string, number>()
  /** Requests of clients that hold no connection, by client, in the order in which clients came. */
  readonly #newcomers = new Map<string, SlotHolder[]>()
  /** Those of clients that hold some. */
  readonly #others = new Map<string, SlotHolder[]>()
  /** In the order in which they stalled. */
  readonly #stalled = new Set<SlotHolder>()
  readonly #streaming = new Set<SlotHolder>()
  #busy = 0
  #looksAgain = false

  constructor({ total, now, later }: BackendSlotsOptions) {
    this.#total = total
    this.#share = Math.max(1, Math.ceil(total * SHARE))
    this.#now = now
    this.#later = later
  }

  /** Connections held. */
  get busy(): number {
    return this.#busy
  }

  /** Begins the request now, or once there is a connection for its client. */
  take(holder: SlotHolder): void {
    const held = this.#held.get(holder.client) ?? 0
    const queues = held === 0 ? this.#newcomers : this.#others
    if (!queues.has(holder.client) && this.#mayHold(held)) {
      this.#begin(holder)
      return
    }
    enqueue(queues, holder)
    if (held === 0) this.#cutOffStalled()
  }

  /** Whether a client that holds so many may have another. */
  #mayHold(held: number): boolean {
    const free = this.#total - this.#busy
    return held === 0 ? free > 0 : held < this.#share && held * FREE_FOR_EACH <= free
  }

  #begin(holder: SlotHolder): void {
    const { client } = holder
    this.#held.set(client, (this.#held.get(client) ?? 0) + 1)
    this.#busy++
    // The rest of what it waits for waits behind clients that hold none.
    move(client, this.#newcomers, this.#others)
    holder.begin()
  }

  /** A request that holds a connection is over with it. */
  release(holder: SlotHolder): void {
    this.#stalled.delete(holder)
    if (!this.#streaming.delete(holder)) this.#free(holder)
  }

  #free({ client }: SlotHolder): void {
    this.#busy--
    const held = (this.#held.get(client) ?? 1) - 1
    if (held === 0) {
      this.#held.delete(client)
      move(client, this.#others, this.#newcomers)
    } else this.#held.set(client, held)
    this.#beginWaiting()
  }

  #beginWaiting(): void {
    while (this.#busy < this.#total) {
      const next = this.#nextWaiting()
      if (next === undefined) return
      this.#begin(next)
    }
  }

  /** The request whose turn it is; its client goes to the end of the line. */
  #nextWaiting(): SlotHolder | undefined {
    for (const client of this.#newcomers.keys()) return dequeue(this.#newcomers, client)
    let looked = 0
    for (const client of this.#others.keys()) {
      if (this.#mayHold(this.#held.get(client) ?? 0)) return dequeue(this.#others, client)
      if (++looked === LOOKED_AT) break
      move(client, this.#others, this.#others)
    }
    return undefined
  }

  /**
   * The answer to a request is a stream of events: it goes on while its client stays, and does not count as
   * one of the connections that others wait for. Beyond `STREAMS_FOR_EACH` streams for each connection they
   * count as any other answer.
   */
  streams(holder: SlotHolder): void {
    if (this.#streaming.size >= this.#total * STREAMS_FOR_EACH || this.#streaming.has(holder)) return
    this.#streaming.add(holder)
    this.#free(holder)
  }

  /** A request that waits will not come: its client went away. */
  forget(holder: SlotHolder): void {
    for (const queues of [this.#newcomers, this.#others]) {
      const queue = queues.get(holder.client)
      const at = queue?.indexOf(holder) ?? -1
      if (queue === undefined || at < 0) continue
      queue.splice(at, 1)
      if (queue.length === 0) queues.delete(holder.client)
    }
  }

  /** The client of a request stopped reading. */
  stalled(holder: SlotHolder): void {
    this.#stalled.add(holder)
  }

  /** It reads again. */
  reads(holder: SlotHolder): void {
    this.#stalled.delete(holder)
  }

  /**
   * Frees a connection for every client that waits and holds none, from clients that have not read for a
   * while, and looks again while there are clients that may turn out to have stalled.
   */
  #cutOffStalled(): void {
    const wanted = this.#newcomers.size
    if (wanted === 0) return
    const now = this.#now()
    const victims: SlotHolder[] = []
    for (const holder of this.#stalled) {
      const { stalledSince } = holder
      if (victims.length >= wanted || stalledSince === undefined || now - stalledSince < PATIENCE_MS) break
      victims.push(holder)
    }
    for (const victim of victims) victim.cutOff()
    if (victims.length < wanted) this.#lookAgain()
  }

  #lookAgain(): void {
    if (this.#looksAgain) return
    this.#looksAgain = true
    this.#later(LOOK_AGAIN_MS, () => {
      this.#looksAgain = false
      this.#cutOffStalled()
    })
  }
}

type Queues = Map<string, SlotHolder[]>

function enqueue(queues: Queues, holder: SlotHolder): void {
  const queue = queues.get(holder.client)
  if (queue === undefined) queues.set(holder.client, [holder])
  else queue.push(holder)
}

/** The first request of a client, which goes to the end of the line with the rest of them. */
function dequeue(queues: Queues, client: string): SlotHolder | undefined {
  const queue = queues.get(client)
  const first = queue?.shift()
  queues.delete(client)
  if (queue !== undefined && queue.length > 0) queues.set(client, queue)
  return first
}

/** Puts what a client waits for at the end of another line. */
function move(client: string, from: Queues, to: Queues): void {
  const queue = from.get(client)
  if (queue === undefined) return
  from.delete(client)
  to.set(client, queue)
}
