import type {
  Actor,
  Clock,
  Duration,
  Event,
  Exchange,
  Measure,
  RandomSource,
  Remediation,
} from '@postern/core'
import type { ProtectedOptions } from './protected-actors.ts'
import type { RemediationTable } from './remediation-table.ts'

/** What a store of remediations is opened with. */
export interface RemediationStoreOptions {
  /** Where remediations are kept and shared. Default: this process's memory. */
  readonly table?: RemediationTable
  /** Actors that no remediation applies to; loopback is always one. */
  readonly protect?: ProtectedOptions
  /** Receives `remediation.added` and `remediation.removed`: pass the engine's `emit`. */
  readonly emit?: (event: Event) => void
  /** Identifies the device of a request, where the application can. */
  readonly device?: (exchange: Exchange) => string | undefined
  /** Most remediations kept in memory. Default: 100,000. */
  readonly capacity?: number
  /** Longest duration of a remediation. Default: 365 days. */
  readonly longest?: Duration
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Called with writes that failed and will be retried. */
  readonly onError?: (error: unknown) => void
  /**
   * What `open` does when the table is away and may come back: `reject` (the default), or `start`
   * without what stands in it, and read it once it is there. What is found meanwhile holds in
   * this process and is written down then.
   */
  readonly whenAway?: 'reject' | 'start'
}

/** A remediation that a person or a list requests. */
export interface RemediationRequest {
  readonly actor: Actor
  readonly measure?: Measure
  /** How long it lasts. */
  readonly for: Duration
  /** Why, for the operator; cut to 500 characters. */
  readonly reason: string
  /** Default: `manual`. */
  readonly origin?: string
}

/** What changed in this process's view, whoever changed it. */
export interface RemediationChange {
  readonly kind: 'added' | 'removed'
  readonly remediation: Remediation
  readonly cause: 'here' | 'elsewhere' | 'ended'
}
