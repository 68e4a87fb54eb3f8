import type { Facts } from './facts.ts'

/** What a decision may depend on besides principal and resource. */
export interface Context {
  /** Epoch milliseconds: what `now()` means. Unknown when absent. */
  readonly time?: number
  /** Further facts about the caller or the request, read by `attribute(name)`. */
  readonly attributes?: Readonly<Record<string, unknown>>
  /** Parents and memberships loaded beforehand; a relationship that was not loaded is unknown. */
  readonly facts?: Facts
}

/** A context that says nothing. */
export const NO_CONTEXT: Context = Object.freeze({})
