import type { Detector, Duration, Event, Guard, Identify } from '@postern/core'

/** Who fills the principal of a request: a function, or the application itself by `setPrincipal`. */
export type IdentifyConfig =
  | Identify
  | 'application'
  | {
      readonly by: Identify | 'application'
      /** How long a request waits for `by`. Default: `1s`. */
      readonly deadline?: Duration | undefined
      /** When `by` fails or is late: go on as `anonymous` (default), or `refuse` with 503. */
      readonly onFailure?: 'anonymous' | 'refuse' | undefined
    }

/** What an application adds to the layer in code. */
export interface ExtensionConfig {
  /**
   * Says who sends a request. Bans and limits on addresses are decided before it, those on principals, tenants and API keys after it. `application`: your own
   * code does, later, by `setPrincipal`.
   */
  readonly identify?: IdentifyConfig | undefined
  /** Guards of your own, asked after limits and before content is inspected, in this order. Not asked in a replay. */
  readonly guards?: readonly Guard[] | undefined
  /** Detectors of your own; with several workers they run on the main thread and see the events of all. Not asked in a replay. */
  readonly detectors?: readonly Detector[] | undefined
  /** Receives every event, recorded or not, on the main thread. Must not throw or block. */
  readonly onEvent?: ((event: Event) => void) | undefined
}
