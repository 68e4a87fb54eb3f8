import type { Json } from './json.ts'

/** One change to a configuration. `at` names the place by its keys; what is missing on the way there is created. */
export type ConfigChange =
  /** Items to append to a list. */
  | { readonly at: readonly string[]; readonly add: readonly Json[] }
  /** A value to set in place of what stands there. */
  | { readonly at: readonly string[]; readonly set: Json }
  /** Items to take out of a list. */
  | { readonly at: readonly string[]; readonly remove: readonly Json[] }

/**
 * What would let a refused request pass, and as little else as can be written down: all of it is needed. Plain data, so that it can be logged, and rendered in terms
 * of whatever file is loaded.
 */
export interface ConfigException {
  readonly changes: readonly ConfigChange[]
  /** A command to run as well: ends a ban that stands already. */
  readonly command?: string
  /** For what no change of the configuration can express. */
  readonly note?: string
}
