import {
  type Actor,
  type Duration,
  type Event,
  type Finding,
  type Measure,
  parseDuration,
} from '@postern/core'
import { requestIdOf } from '../event-fields.ts'

/** What all detectors of behaviour take. */
export interface BehaviourOptions {
  /** Most actors or sessions kept in mind. Default: 20,000. */
  readonly capacity?: number
  /** What to do beyond telling it; each detector says its default. */
  readonly respond?: { readonly action: Measure | 'alert'; readonly for?: Duration }
}

/** The response of a finding, from options. */
export function respondOf(
  options: BehaviourOptions,
  fallback: Measure | 'alert',
): NonNullable<Finding['respond']> | undefined {
  const action = options.respond?.action ?? fallback
  if (action === 'alert') return undefined
  return { measure: action, duration: parseDuration(options.respond?.for ?? '30m', 'respond.for') }
}

/** A finding about an event. */
export function findingOf(
  event: Event,
  actor: Actor,
  about: {
    readonly scenario: string
    readonly title: string
    readonly severity: Finding['severity']
    readonly count: number
  },
  respond: Finding['respond'] | undefined,
): Finding {
  const id = requestIdOf(event)
  return {
    ...about,
    actor,
    requests: id === undefined ? [] : [id],
    ...(respond !== undefined && { respond }),
  }
}
