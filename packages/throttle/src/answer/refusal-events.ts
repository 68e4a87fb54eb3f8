import { type Event, type Exchange, HttpEvent, type Refusal } from '@postern/core'

const MOST_REMEMBERED = 10_000

interface Run {
  count: number
  since: number
}

/**
 * Turns refusals into `limit.refused` events without letting a flood of refusals become a flood of events:
 * for each key and limit one event at the 1st, 10th, 100th, ... refusal within a span. `data.count` says how
 * many there were, so a scenario can ask for "refused a hundred times".
 */
export class RefusalEvents {
  readonly #emit: (event: Event) => void
  readonly #span: number
  #runs = new Map<string, Run>()

  /**
   * @param emit where events go: the engine's `emit`
   * @param span milliseconds after which counting starts again
   */
  constructor(emit: (event: Event) => void, span: number) {
    this.#emit = emit
    this.#span = span
  }

  note(exchange: Exchange, refusal: Refusal, limit: string, keyKind: string, key: string): void {
    const id = `${limit}\n${key}`
    const now = exchange.time
    let run = this.#runs.get(id)
    if (run === undefined || now - run.since >= this.#span || now < run.since) {
      if (this.#runs.size >= MOST_REMEMBERED) this.#runs = new Map()
      run = { count: 0, since: now }
      this.#runs.set(id, run)
    }
    run.count++
    if (!isPowerOfTen(run.count)) return
    const { actor, request } = new HttpEvent(exchange, undefined)
    this.#emit({
      type: 'limit.refused',
      time: now,
      actor,
      request,
      decision: refusal.effect,
      guard: refusal.guard,
      reasons: refusal.reasons,
      data: { limit, key: keyKind, count: run.count, since: run.since },
    })
  }
}

function isPowerOfTen(count: number): boolean {
  let power = 1
  while (power < count) power *= 10
  return power === count
}
