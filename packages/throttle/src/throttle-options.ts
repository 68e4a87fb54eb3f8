import type { Duration, Event, Mode, Timers } from '@postern/core'
import type { HeaderStyle } from './answer/rate-limit-headers.ts'
import type { FailurePolicy } from './failure/failure-policy.ts'
import type { Limit } from './limit/limit.ts'
import type { LimitStore } from './limit/limit-store.ts'
import type { LoadSheddingOptions } from './load/load-shedding.ts'

/** The limits of a `throttle`, where they are counted, and what happens when the store does not answer. */
export interface ThrottleOptions {
  /** Default: `memoryStore()`. */
  readonly store?: LimitStore
  /** Limits for all requests; routes may add theirs. */
  readonly limits?: readonly Limit[]
  /**
   * What to do while a store beyond this process does not answer in time: let everything pass (`open`),
   * answer 503 (`closed`), or count in this process with a share of each limit (`local({ share })`, the
   * default with a share of 1).
   */
  readonly onStoreFailure?: FailurePolicy
  /** How long a decision may wait for the store. Default: `50ms`. */
  readonly deadline?: Duration
  /**
   * `two` where an engine learns between two guards who acts: this guard then decides the limits that are
   * known on arrival, and `identified`, placed after the guard that identifies, those about principals,
   * tenants and API keys. Each stage takes from all of its limits or from none; a request that the second
   * stage refuses keeps what the first took. Default: `one`.
   */
  readonly stages?: 'one' | 'two'
  /** Sheds load when the whole process has too much to do. Off unless given. */
  readonly overload?: LoadSheddingOptions
  /** Default: `standard`. */
  readonly headers?: HeaderStyle
  /** Overrides the engine's mode. */
  readonly mode?: Mode
  /** Where `limit.refused` events go: the engine's `emit`. */
  readonly onEvent?: (event: Event) => void
  /** How long refusals of one caller are counted together. Default: `10m`. */
  readonly eventSpan?: Duration
  readonly timers?: Timers
}
