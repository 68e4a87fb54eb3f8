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
/** Connections are scarce when fewer than this part of them is free. */
const SCARCE = 1 / 4
/** How long a client may stall while connections are scarce. Honest readers pause for much less. */
const PATIENCE_MS = 1_000
const LOOK_AGAIN_MS = 250

/**
 * Shares the connections to the backend among clients. One client holds a quarter of them at most; what it
 * asks for beyond waits for its own. When connections become scarce, answers whose clients have stopped
 * reading are cut off, the longest stalled first, so that clients that read find one.
 */
export class BackendSlots {
  readonly #total: number
  readonly #share: number
  readonly #now: () => number
  readonly #later: BackendSlotsOptions['later']
  readonly #held = new Map<string, number>()
  readonly #waiting = new Map<string, SlotHolder[]>()
  /** In the order in which they stalled. */
  readonly #stalled = new Set<SlotHolder>()
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

  /** Begins the request now, or once its client has a connection to spare. */
  take(holder: SlotHolder): void {
    const held = this.#held.get(holder.client) ?? 0
    if (held >= this.#share) {
      const queue = this.#waiting.get(holder.client)
      if (queue === undefined) this.#waiting.set(holder.client, [holder])
      else queue.push(holder)
      return
    }
    this.#hold(holder, held)
    this.#cutOffStalled()
    holder.begin()
  }

  #hold(holder: SlotHolder, held: number): void {
    this.#held.set(holder.client, held + 1)
    this.#busy++
  }

  /** A request that holds a connection is over with it. */
  release(holder: SlotHolder): void {
    this.#stalled.delete(holder)
    this.#busy--
    const held = (this.#held.get(holder.client) ?? 1) - 1
    if (held === 0) this.#held.delete(holder.client)
    else this.#held.set(holder.client, held)
    const queue = this.#waiting.get(holder.client)
    const next = queue?.shift()
    if (queue?.length === 0) this.#waiting.delete(holder.client)
    if (next === undefined) return
    this.#hold(next, held)
    next.begin()
  }

  /** A request that waits will not come: its client went away. */
  forget(holder: SlotHolder): void {
    const queue = this.#waiting.get(holder.client)
    const at = queue?.indexOf(holder) ?? -1
    if (queue === undefined || at < 0) return
    queue.splice(at, 1)
    if (queue.length === 0) this.#waiting.delete(holder.client)
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
   * Frees connections up to a quarter of all, from clients that have not read for a while. Requests that find
   * none wait in the pool, so it looks again while there are clients that may turn out to have stalled.
   */
  #cutOffStalled(): void {
    const wanted = Math.ceil(this.#total * SCARCE) - (this.#total - this.#busy)
    if (wanted <= 0) return
    const now = this.#now()
    const victims: SlotHolder[] = []
    for (const holder of this.#stalled) {
      const { stalledSince } = holder
      if (victims.length >= wanted || stalledSince === undefined || now - stalledSince < PATIENCE_MS) break
      victims.push(holder)
    }
    for (const victim of victims) victim.cutOff()
    if (victims.length < wanted && this.#busy > 0) this.#lookAgain()
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
