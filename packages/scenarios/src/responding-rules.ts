import type { Event } from '@postern/core'
import { RuleDispatch } from './rule-dispatch.ts'
import type { LinkedCorrelation, ScenarioSet } from './scenario-set.ts'

/** So many events of one client within such a span lead to no remediation, whatever they are. */
export interface ResponseBound {
  /** Milliseconds. */
  readonly span: number
  readonly most: number
}

/**
 * Rules that ask for this many events a second are held by the number of events alone: they count what
 * ordinary clients send too, only more of it.
 */
const FAST_PER_SECOND = 1

/**
 * Which events can lead to a measure at all. As long as a client stays within `bounds`, its measures depend
 * on nothing but the events that `concern` a rule: whoever replays those alone finds the same measures.
 * Scenarios that only alert are left out. Holds for rules that group by who acts, as all that are shipped do.
 */
export class RespondingRules {
  readonly bounds: readonly ResponseBound[]
  readonly #dispatch: RuleDispatch
  readonly #matches: readonly ((event: Event) => boolean)[]

  constructor(set: ScenarioSet) {
    const bounds: ResponseBound[] = []
    const concerning = new Set<number>()
    set.detections.forEach(({ rule, reports }, place) => {
      if (reports && responds(rule)) concerning.add(place)
    })
    for (const linked of set.correlations) {
      if (!linked.reports || !responds(linked.rule)) continue
      const bound = boundOf(linked)
      if (bound === undefined) addInputs(set, linked, concerning)
      else bounds.push(bound)
    }
    const detections = [...concerning].sort((a, b) => a - b).flatMap(place => set.detections[place] ?? [])
    this.bounds = strictest(bounds)
    this.#dispatch = new RuleDispatch(
      detections.map(({ rule, filters }) => (filters.length === 0 ? rule : { ...rule, reads: ['*'] })),
    )
    this.#matches = detections.map(
      ({ rule, filters }) =>
        event =>
          rule.matches(event) && filters.every(filter => filter.matches(event)),
    )
  }

  /** Whether a rule that is not held by `bounds` counts an event. */
  concern(event: Event): boolean {
    const candidates = this.#dispatch.candidates(event)
    if (candidates.length > 0 && this.#dispatch.areKnown) return true
    for (let i = 0; i < candidates.length; i++)
      if (this.#matches[candidates[i] as number]?.(event) === true) return true
    return false
  }
}

function responds({ respond }: { readonly respond: LinkedCorrelation['rule']['respond'] }): boolean {
  return respond !== undefined && respond.action !== 'alert'
}

/** Of a rule that counts single events, many and fast. */
function boundOf({ rule }: LinkedCorrelation): ResponseBound | undefined {
  const { type, threshold, timespan } = rule
  if (type !== 'event_count' && type !== 'value_count') return undefined
  const isFast = (threshold * 1_000) / timespan >= FAST_PER_SECOND
  return isFast ? { span: timespan, most: Math.ceil(threshold) - 1 } : undefined
}

function addInputs(set: ScenarioSet, { inputs }: LinkedCorrelation, into: Set<number>): void {
  for (const input of inputs) {
    const counted = set.correlations[input - set.detections.length]
    if (counted === undefined) into.add(input)
    else addInputs(set, counted, into)
  }
}

/** Without those that another one holds: fewer events within a span at least as long. */
function strictest(bounds: readonly ResponseBound[]): readonly ResponseBound[] {
  return bounds.filter(
    ({ span, most }, at) =>
      !bounds.some(
        (other, i) =>
          i !== at &&
          other.span >= span &&
          other.most <= most &&
          (other.span > span || other.most < most || i < at),
      ),
  )
}
