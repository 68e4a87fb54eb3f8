import type { LoadedConfig } from '@postern/config'
import type { Event } from '@postern/core'
import { BEHAVIOUR_BOUNDS, RespondingRules } from '@postern/scenarios'
import { scenariosOf } from './scenarios.ts'

/** What a remediation of anybody can come from, of one configuration. */
export interface MeasureCauses {
  /** Whether a rule that is not held by a bound counts an event. */
  concern(event: Event): boolean
  /** So many requests of one address or principal within a span lead to no remediation by number alone. */
  readonly requests: RespondingRules['bounds']
  /** The same of what the detectors of behaviour count. */
  readonly behaviour: typeof BEHAVIOUR_BOUNDS
}

/**
 * What measures come from; undefined where that is not known without deciding every request: with traps, and
 * with scenarios of one's own, which may count anything.
 * @throws ConfigError as `scenariosOf`
 */
export function measureCauses(loaded: LoadedConfig): MeasureCauses | undefined {
  const { scenarios, honey, routes } = loaded.config
  const hasTraps = honey.fields.length + honey.records.length + routes.traps.length > 0
  if (hasTraps || (scenarios !== false && scenarios.folders.length > 0)) return undefined
  const rules = new RespondingRules(scenariosOf(loaded))
  return { concern: event => rules.concern(event), requests: rules.bounds, behaviour: BEHAVIOUR_BOUNDS }
}
