import type { Clock, Event } from '@postern/core'

interface Flood {
  readonly event: Event
  /** Monotonic milliseconds. */
  readonly until: number
  readonly from: number
  to: number
  count: number
}

export interface FloodOptions {
  readonly clock: Clock
  /** Equal refusals entered one by one before the rest of the window is only counted. Default 10. */
  readonly each?: number
  /** Milliseconds. Default 10,000. */
  readonly window?: number
  /** Different floods told apart at a time. Default 4,096. */
  readonly kinds?: number
  /** Takes the entry that stands for the counted events. */
  readonly emit: (event: Event) => void
}

/**
 * Coalesces floods: a client that is refused a thousand times a second for one reason gets its first refusals entered, and then one
 * entry a window with the count. Bounded: when too many floods run at once the oldest is closed early.
 */
export class FloodCounter {
  readonly #clock: Clock
  readonly #each: number
  readonly #window: number
  readonly #kinds: number
  readonly #emit: (event: Event) => void
  readonly #floods = new Map<string, Flood>()
  #coalesced = 0

  constructor(options: FloodOptions) {
    this.#clock = options.clock
    this.#each = options.each ?? 10
    this.#window = options.window ?? 10_000
    this.#kinds = options.kinds ?? 4_096
    this.#emit = options.emit
  }

  /** Events that were counted instead of entered. */
  get coalesced(): number {
    return this.#coalesced
  }

  /** Whether the event is to be entered; if not, it was counted. */
  admits(event: Event): boolean {
    if (event.type !== 'http' || event.decision === undefined || event.decision === 'allow') return true
    const now = this.#clock.monotonic()
    this.#closeEnded(now)
    const key = floodKey(event)
    const flood = this.#floods.get(key)
    if (flood === undefined) {
      if (this.#floods.size >= this.#kinds) this.#close(this.#floods.keys().next().value ?? '')
      this.#floods.set(key, {
        event: withoutRequestId(event),
        until: now + this.#window,
        from: event.time,
        to: event.time,
        count: 1,
      })
      return true
    }
    flood.count++
    flood.to = event.time
    if (flood.count <= this.#each) return true
    this.#coalesced++
    return false
  }

  /** Windows are equally long, so the map is in order of their ends. */
  #closeEnded(now: number): void {
    for (const [key, flood] of this.#floods) {
      if (flood.until > now) return
      this.#close(key)
    }
  }

  #close(key: string): void {
    const flood = this.#floods.get(key)
    this.#floods.delete(key)
    if (flood === undefined || flood.count <= this.#each) return
    this.#emit({
      ...flood.event,
      type: 'audit.coalesced',
      time: flood.to,
      data: { of: flood.event.type, count: flood.count - this.#each, from: flood.from, to: flood.to },
    })
  }

  /** Closes the windows that are over; call now and then, for a flood that stopped. */
  tick(): void {
    this.#closeEnded(this.#clock.monotonic())
  }

  /** Closes all windows, so that no count is kept back. */
  flush(): void {
    for (const key of [...this.#floods.keys()]) this.#close(key)
  }
}

/** The same client, refused for the same reason at the same place. */
function floodKey(event: Event): string {
  const { actor, request, decision, guard, reasons } = event
  const place = request?.route ?? request?.path ?? ''
  return `${actor.tenant ?? ''}\n${actor.principal ?? ''}\n${actor.address ?? ''}\n${decision}\n${guard ?? ''}\n${reasons?.[0]?.rule ?? ''}\n${request?.method ?? ''}\n${place}`
}

function withoutRequestId(event: Event): Event {
  const plain = JSON.parse(JSON.stringify(event)) as Event
  const { outcome: _outcome, data: _data, ...rest } = plain
  return rest
}
