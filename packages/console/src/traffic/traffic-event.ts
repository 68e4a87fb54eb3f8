import type { Effect, Event, GuardTime } from '@postern/core'

/** How a request ended, as far as people ask: what was refused, or would have been in observe mode. */
export type Verdict = 'allow' | 'observed' | Exclude<Effect, 'allow'>

/** One event on its way into the store. */
export interface TrafficEvent {
  readonly event: Event
  /** How many events it stands for: 1 for everything that is not sampled. */
  readonly weight: number
  readonly guardTimes: readonly GuardTime[] | undefined
}

/** One event as it is kept. */
export interface StoredEvent extends TrafficEvent {
  /** Number in the store, ascending. */
  readonly id: number
  /** Whether its personal part cannot be read any more. */
  readonly erased: boolean
  /** The instance that kept it, where several share a store. */
  readonly instance?: string
}

/** The verdict of an event; other events than requests count as allowed. */
export function verdictOf({ decision, observed }: Pick<Event, 'decision' | 'observed'>): Verdict {
  if (decision !== undefined && decision !== 'allow') return decision
  return observed === undefined ? 'allow' : 'observed'
}
