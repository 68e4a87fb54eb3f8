import type { Level } from '../rule/family.ts'
import { compileParameterTypes, type ParameterSettings } from '../value/parameter-types.ts'
import { compileExceptions, type InspectException } from './exception.ts'

/** How a route wants to be inspected; `false` not at all. */
export interface InspectSettings {
  readonly level?: Level
  /** Only here: this rule, this parameter. */
  readonly except?: readonly InspectException[]
  /**
   * What happens to a body that is longer than guards may read ahead: its rest is inspected as it goes by,
   * and the connection is cut where an attack comes; or it is refused with 413; or the rest passes unread.
   * Default `stream`.
   */
  readonly unread?: 'stream' | 'refuse' | 'pass'
  /** What its parameters hold, by location: `{ 'query.id': 'number', 'body.html': 'markup' }`. */
  readonly parameters?: ParameterSettings
  /**
   * What happens to a request that costs more to inspect than one may: it is refused with 413, or passes
   * with what was found so far, which `onInspection`
   * receives. Default `refuse`.
   */
  readonly overBudget?: 'refuse' | 'pass'
}

declare module '@postern/core' {
  interface RouteSettings {
    readonly inspect?: InspectSettings | false
  }
}

/**
 * Looks at a route's settings when a configuration is loaded, so that a mistake is found then and not by
 * the first request.
 * @param place e.g. `routes["POST /posts"].inspect`
 * @throws ConfigError naming every exception and type that cannot be read
 */
export function checkInspectSettings(settings: InspectSettings, place: string): void {
  compileExceptions(settings.except ?? [], `${place}.except`)
  if (settings.parameters !== undefined) compileParameterTypes(settings.parameters, `${place}.parameters`)
}
