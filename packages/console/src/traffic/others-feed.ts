import type { StoredEvent } from './traffic-event.ts'

/** Where the events of other instances are: `PostgresTraffic`. */
export interface OthersTraffic {
  ofOthersAfter(after: number, limit: number): Promise<readonly StoredEvent[]>
  lastId(): Promise<number>
}

export interface OthersFeedOptions {
  readonly traffic: OthersTraffic
  /** Whether anybody watches: nothing is asked otherwise. */
  readonly isWatched: () => boolean
  readonly onEvent: (event: StoredEvent) => void
}

const EVERY_MS = 500
const MAX_ROWS = 200
/** A number is taken before its transaction commits: events this far back may still appear. */
const LOOK_BACK = 500

/** Brings the live events of other instances to the pages of this one, while anybody watches. */
export class OthersFeed {
  readonly #options: OthersFeedOptions
  readonly #timer: NodeJS.Timeout
  readonly #seen = new Set<number>()
  #last: number | undefined
  #asking = false

  constructor(options: OthersFeedOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.ask(), EVERY_MS).unref()
  }

  /** Asks once; never rejects. What was there before anybody watched is not brought. */
  async ask(): Promise<void> {
    const { traffic, isWatched, onEvent } = this.#options
    if (!isWatched()) {
      this.#last = undefined
      return
    }
    if (this.#asking) return
    this.#asking = true
    try {
      if (this.#last === undefined) {
        this.#last = await traffic.lastId()
        this.#seen.clear()
        for (const { id } of await traffic.ofOthersAfter(this.#last - LOOK_BACK, MAX_ROWS)) this.#seen.add(id)
        return
      }
      for (const event of await traffic.ofOthersAfter(this.#last - LOOK_BACK, MAX_ROWS)) {
        if (this.#seen.has(event.id)) continue
        this.#seen.add(event.id)
        this.#last = Math.max(this.#last, event.id)
        onEvent(event)
      }
      for (const id of this.#seen) if (id <= this.#last - LOOK_BACK) this.#seen.delete(id)
    } catch {
      // The health of the traffic says that the store is away.
    } finally {
      this.#asking = false
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
