import type { Event, Finding, Measure } from '@postern/core'
import type { FieldReader, ResponseActor } from './event-fields.ts'
import type { Needs } from './need.ts'
import type { Predicate } from './sigma-condition.ts'

/** What a scenario does when it fires: Postern's one extension of Sigma. */
export interface Respond {
  readonly action: Measure | 'alert'
  /** Milliseconds the measure holds; 0 for an alert. */
  readonly duration: number
  /** Milliseconds in which the same group does not fire again. */
  readonly silence: number
  /** Whom the remediation applies to. */
  readonly actor: ResponseActor
}

/** A detection rule, compiled. */
export interface DetectionRule {
  readonly kind: 'detection'
  readonly id: string
  readonly names: readonly string[]
  readonly title: string
  readonly severity: Finding['severity']
  /** Where it stands, for people. */
  readonly place: string
  /** Cheap test first, so that other events cost nothing. */
  readonly sees: (event: Event) => boolean
  readonly matches: Predicate
  /** What an event must have for `matches` to be asked at all. */
  readonly needs: Needs
  /** All fields of the event that `matches` looks at, by their own names. */
  readonly reads: readonly string[]
  readonly respond: Respond | undefined
}

export type CorrelationType =
  | 'event_count'
  | 'value_count'
  | 'value_sum'
  | 'value_avg'
  | 'temporal'
  | 'temporal_ordered'

/** A correlation rule, compiled but for its references. */
export interface CorrelationRule {
  readonly kind: 'correlation'
  readonly id: string
  readonly names: readonly string[]
  readonly title: string
  readonly severity: Finding['severity']
  readonly place: string
  readonly type: CorrelationType
  readonly references: readonly string[]
  /** For each reference, the readers of its group. */
  readonly groupBy: readonly (readonly FieldReader[])[]
  readonly timespan: number
  /** The smallest count, sum or average that fires. Not for temporal types. */
  readonly threshold: number
  readonly value: readonly FieldReader[] | undefined
  readonly generate: boolean
  readonly respond: Respond | undefined
}

/** A filter: narrows the rules it names. */
export interface FilterRule {
  readonly kind: 'filter'
  readonly title: string
  readonly place: string
  readonly references: readonly string[]
  readonly matches: Predicate
}

export type Rule = DetectionRule | CorrelationRule | FilterRule

/** A scenario as lists show it. */
export interface ScenarioSummary {
  readonly id: string
  readonly title: string
  readonly severity: Finding['severity']
  readonly action: Respond['action']
  readonly place: string
}
