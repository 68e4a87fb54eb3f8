import type { Config } from '@postern/config'
import { type Guard, identifyGuard } from '@postern/core'
import { type RemediationGuardOptions, remediationGuard } from '@postern/remediate'
import type { Throttle } from '@postern/throttle'
import type { Resources } from './resources.ts'
import { withoutUndefined } from './without-undefined.ts'

/** The guards around the moment at which a request gets its principal. */
export interface Identification {
  /** Fills the principal, where a function of the configuration does; then everything that is decided about principals. */
  readonly guards: readonly Guard[]
  /** What is decided about principals, for an application that says later who acts; undefined when nothing identifies. */
  readonly identified: readonly Guard[] | undefined
}

/**
 * What `identify` of a configuration asks for. Without it there is one stage, and every guard decides at once.
 * @throws ConfigError for a deadline that is no duration
 */
export function identification(
  { identify, remediations }: Config,
  resources: Resources,
  limits: Throttle,
  remediationOptions: RemediationGuardOptions,
): Identification {
  if (identify === undefined) return { guards: [], identified: undefined }
  const { by, ...options } = typeof identify === 'object' ? identify : { by: identify }
  const identified: Guard[] = []
  if (remediations !== false)
    identified.push(remediationGuard(resources.remediations, { ...remediationOptions, actors: 'identified' }))
  identified.push(limits.identified)
  return {
    guards: by === 'application' ? [] : [identifyGuard(by, withoutUndefined(options)), ...identified],
    identified,
  }
}
