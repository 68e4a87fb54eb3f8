import { describeException } from '@postern/config'
import { type Event, timeText } from '@postern/core'
import { type Counted, TopCounts } from '../replay/top-counts.ts'

/** What observe mode would have refused. */
export interface ObserveReport {
  /** ISO 8601; undefined when nothing was found. */
  readonly first: string | undefined
  readonly last: string | undefined
  readonly requests: number
  readonly denied: number
  readonly throttled: number
  readonly challenged: number
  readonly rules: readonly Counted[]
  readonly routes: readonly Counted[]
  readonly actors: readonly Counted[]
  /**
   * Exceptions that would let requests pass, by how many each concerns; examples are ids for
   * `postern explain`.
   */
  readonly exceptions: readonly Counted[]
}

/** Counts events that were let pass although a guard objected. Memory does not grow with the log. */
export class ObserveCounts {
  readonly #file: Parameters<typeof describeException>[1]
  readonly #rules = new TopCounts()
  readonly #routes = new TopCounts()
  readonly #actors = new TopCounts()
  readonly #exceptions = new TopCounts()
  readonly #effects = { deny: 0, throttle: 0, challenge: 0 }
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  /** @param file the configuration, in whose terms exceptions are written */
  constructor(file: Parameters<typeof describeException>[1]) {
    this.#file = file
  }

  /** Takes an event; those that observe mode did not let pass are left out. */
  take(event: Event): void {
    const { observed, actor, request, reasons = [] } = event
    if (observed === undefined || observed === 'allow') return
    const times = event.type === 'audit.coalesced' ? countOf(event) : 1
    this.#effects[observed] += times
    this.#first = Math.min(this.#first, event.time)
    this.#last = Math.max(this.#last, event.time)
    const id = request?.id
    this.#routes.add(
      request?.route ?? `${request?.method ?? ''} ${request?.path ?? ''}`.slice(0, 200),
      reasons[0]?.rule,
      times,
    )
    this.#actors.add(actor.principal ?? actor.address ?? 'unknown', reasons[0]?.rule, times)
    for (const rule of new Set(reasons.map(reason => reason.rule))) this.#rules.add(rule, id, times)
    for (const text of new Set(reasons.flatMap(reason => this.#exceptionOf(reason))))
      this.#exceptions.add(text, id, times)
  }

  #exceptionOf({ exception }: NonNullable<Event['reasons']>[number]): readonly string[] {
    if (exception === undefined) return []
    if (typeof exception === 'string') return [exception]
    const text = describeException(exception, this.#file).join('\n')
    return text === '' ? [] : [text]
  }

  report(top: number): ObserveReport {
    const { deny, throttle, challenge } = this.#effects
    const time = (at: number): string | undefined => (Number.isFinite(at) ? timeText(at) : undefined)
    return {
      first: time(this.#first),
      last: time(this.#last),
      requests: deny + throttle + challenge,
      denied: deny,
      throttled: throttle,
      challenged: challenge,
      rules: this.#rules.top(top),
      routes: this.#routes.top(top),
      actors: this.#actors.top(top),
      exceptions: this.#exceptions.top(top),
    }
  }
}

function countOf({ data }: Event): number {
  const count = Number(data?.['count'])
  return Number.isSafeInteger(count) && count > 0 ? count : 1
}
