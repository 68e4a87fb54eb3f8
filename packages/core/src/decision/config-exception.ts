import type { Json } from '../text/json.ts'

/** One change to a configuration. `at` names the place by its keys; missing parents are created. */
export type ConfigChange =
  /** Items to append to a list. */
  | { readonly at: readonly string[]; readonly add: readonly Json[] }
  /** A value that replaces the present one. */
  | { readonly at: readonly string[]; readonly set: Json }
  /** Items to remove from a list. */
  | { readonly at: readonly string[]; readonly remove: readonly Json[] }

/**
 * The smallest change that lets a refused request pass. Every part of it is needed. Plain data, so that it
 * can be logged, and rendered in terms of whatever file is loaded.
 */
export interface ConfigException {
  readonly changes: readonly ConfigChange[]
  /** A command to run as well: it lifts a ban that is already in force. */
  readonly command?: string
  /** Advice where no change of the configuration can express the exception. */
  readonly note?: string
  /** Rules of later guards that would have refused the request as well, and that the change answers too. */
  readonly covers?: readonly string[]
}
