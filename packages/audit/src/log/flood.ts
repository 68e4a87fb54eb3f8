import type { Clock, Event } from '@postern/core'

interface Flood {
  readonly event: Event
  /** Ids of requests that were only counted, the first of them. */
  readonly ids: string[]
  /** Paths of requests that were only counted, the first different ones. */
  readonly paths: Set<string>
  /** Monotonic milliseconds. */
  readonly until: number
  readonly from: number
  to: number
  count: number
  /** Characters of its key and its event. */
  readonly chars: number
}

export interface FloodOptions {
  readonly clock: Clock
  /** Equal refusals logged one by one before the rest of the window is only counted. Default 10. */
  readonly each?: number
  /** Milliseconds. Default 10,000. */
  readonly window?: number
  /** Most floods tracked at a time. Default 4,096. */
  readonly kinds?: number
  /** Receives the log entry that summarizes the counted events. */
  readonly emit: (event: Event) => void
}

const MAX_IDS = 20
const MAX_PATHS = 10
/** Of a sampled path. Longer ones would push the count out of the entry. */
const MAX_PATH = 500
/** Characters of all floods: a path may have 16 KB, and each flood keeps a few copies of it. */
const MAX_CHARS = 16 << 20

/**
 * Coalesces floods: a client that is refused a thousand times a second for one reason gets its first refusals
 * logged, and then one log entry per window with the count, the first request ids and paths. Only refusals
 * that are alike in everything a person would ask about are one flood, so that noise cannot hide an attack.
 * Bounded: when too many floods run at once the oldest is closed early.
 */
export class FloodCounter {
  readonly #clock: Clock
  readonly #each: number
  readonly #window: number
  readonly #kinds: number
  readonly #emit: (event: Event) => void
  readonly #floods = new Map<string, Flood>()
  #coalesced = 0
  #held = 0

  constructor(options: FloodOptions) {
    this.#clock = options.clock
    this.#each = options.each ?? 10
    this.#window = options.window ?? 10_000
    this.#kinds = options.kinds ?? 4_096
    this.#emit = options.emit
  }

  /** Events that were counted instead of logged. */
  get coalesced(): number {
    return this.#coalesced
  }

  /** Characters of the floods that are tracked. */
  get held(): number {
    return this.#held
  }

  /** Whether the event should be logged; if not, it was counted. */
  admits(event: Event): boolean {
    if (event.type !== 'http' || event.decision === undefined || event.decision === 'allow') return true
    const now = this.#clock.monotonic()
    this.#closeEnded(now)
    const key = floodKey(event)
    const flood = this.#floods.get(key)
    if (flood === undefined) {
      const kept = withoutOutcome(event)
      if (kept === undefined) return true
      const chars = key.length + kept.chars
      while (this.#floods.size >= this.#kinds || (this.#held + chars > MAX_CHARS && this.#floods.size > 0))
        this.#close(this.#floods.keys().next().value ?? '')
      this.#held += chars
      this.#floods.set(key, {
        event: kept.event,
        chars,
        ids: [],
        paths: new Set(),
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
    keepSample(flood, event)
    return false
  }

  /** All windows have the same length, so the map is in order of their ends. */
  #closeEnded(now: number): void {
    for (const [key, flood] of this.#floods) {
      if (flood.until > now) return
      this.#close(key)
    }
  }

  #close(key: string): void {
    const flood = this.#floods.get(key)
    this.#floods.delete(key)
    this.#held -= flood?.chars ?? 0
    if (flood === undefined || flood.count <= this.#each) return
    this.#emit({
      ...flood.event,
      type: 'audit.coalesced',
      time: flood.to,
      data: {
        of: flood.event.type,
        count: flood.count - this.#each,
        from: flood.from,
        to: flood.to,
        ids: flood.ids,
        paths: [...flood.paths],
      },
    })
  }

  /** Closes the windows that are over; call periodically, for floods that stopped. */
  tick(): void {
    this.#closeEnded(this.#clock.monotonic())
  }

  /** Closes all windows, so that no count is kept back. */
  flush(): void {
    for (const key of [...this.#floods.keys()]) this.#close(key)
  }
}

function keepSample(flood: Flood, { request }: Event): void {
  if (request === undefined) return
  if (flood.ids.length < MAX_IDS) flood.ids.push(request.id)
  if (flood.paths.size < MAX_PATHS) flood.paths.add(request.path.slice(0, MAX_PATH))
}

/**
 * What refusals of one flood have in common. Where a rule read the request the path and every match
 * belong to it. A limit or a remediation says nothing about the request itself: the route is enough there.
 */
function floodKey(event: Event): string {
  const { actor, request, decision, guard, reasons, action, resource } = event
  const rules = (reasons ?? []).map(({ rule, evidence }) => [rule, evidence?.location, evidence?.span])
  const readsRequest = decision !== 'throttle' && guard?.startsWith('remediation') !== true
  const place = readsRequest ? request?.path : (request?.route ?? request?.path)
  return JSON.stringify([
    actor.tenant,
    actor.principal,
    actor.address,
    decision,
    guard,
    request?.method,
    place,
    action,
    resource?.type,
    // A limit holds whatever the resource is: one flood of it must not become one for each id.
    readsRequest ? resource?.id : undefined,
    readsRequest ? rules : rules[0]?.[0],
  ])
}

/**
 * The event as one of a flood; undefined when it cannot be serialized: whoever logs it counts it as lost.
 * Read from its text: what the engine hands over is a view, whose fields a spread would leave out.
 */
function withoutOutcome(event: Event): { readonly event: Event; readonly chars: number } | undefined {
  try {
    const { outcome: _outcome, data: _data, ...kept } = JSON.parse(JSON.stringify(event)) as Event
    return { event: kept, chars: JSON.stringify(kept).length }
  } catch {
    return undefined
  }
}
