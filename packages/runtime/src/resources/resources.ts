import type { AuditLog, Shipper } from '@postern/audit'
import type { LoadedConfig } from '@postern/config'
import type { Clock, Detector, EventRecorder, Guard, HealthProbe } from '@postern/core'
import type { Revocations } from '@postern/identity'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import type { IdentityStores } from '@postern/identity/stores'
import type { LearnedSchemas, SchemaLearner } from '@postern/protocol'
import type { RemediationStore } from '@postern/remediate'
import type { ScenarioDetector } from '@postern/scenarios'
import type { LimitStore } from '@postern/throttle'
import type { OpenAccess } from '../access/open-access.ts'
import type { ApplicationSinks } from '../content/application-sinks.ts'
import type { LearnedParameterTypes } from '../content/learned-parameter-types.ts'
import type { LimitOverrides } from '../limits/limit-overrides.ts'
import type { Connections } from '../stores/connections.ts'

/**
 * What outlives a configuration: stores, logs and everything that was counted. A reload builds a new engine
 * over the same resources.
 */
export interface Resources {
  readonly clock: Clock
  readonly remediations: RemediationStore
  readonly limitStore: LimitStore
  /** Rules of single keys; absent where nothing is kept. */
  readonly limitOverrides: LimitOverrides | undefined
  /** Learns where the configuration says `schema: { learn: true }`; absent where nothing is kept. */
  readonly learner: SchemaLearner | undefined
  /** What was learned by every thread, and before the last restart. */
  readonly learned: LearnedSchemas | undefined
  /** What inspection knows of parameters from what was learned; undefined unless `schema.inspect`. */
  readonly parameterTypes?: LearnedParameterTypes | undefined
  /** What login defence and bound sessions keep. */
  readonly signIn: IdentityStores
  /** Calls back when `signIn` is another than before, because a store that was away is there. */
  whenRenewed?(call: () => void): void
  /** Policies and approvals; absent in a replay, which asks nothing of callers. */
  readonly access: OpenAccess | undefined
  readonly detectors: readonly Detector[]
  /** The detector of scenarios, where this thread has it; also among `detectors`. */
  readonly scenarios: ScenarioDetector | undefined
  /** The stores by URL and the data directory; absent where everything is in memory. */
  readonly connections: Connections | undefined
  /** Absent when nothing is written down. */
  readonly recorder: EventRecorder | undefined
  /** The log itself, where this thread holds it. */
  readonly audit: AuditLog | undefined
  /** What sends the entries of the log on; empty unless given. */
  readonly shippers?: readonly Shipper[] | undefined
  /** Signs the puzzles of challenges; the same on every worker. */
  readonly secret: Uint8Array
  /**
   * Takes from a configuration that is in force now what the resources themselves hold: whom no remediation
   * holds for, which folders of scenarios are followed.
   */
  follow(loaded: LoadedConfig): void
  /** Accounts and sessions of our own; absent unless the configuration has `identity`. */
  readonly identity: BuiltInIdentity | undefined
  /** What was revoked before its end; absent unless the configuration says who identifies. */
  readonly revocations: Revocations | undefined
  /** Sees what the application of this process has open; absent where a gateway does. */
  readonly open?: Guard | undefined
  /** Watches calls of the application of this process; absent where a gateway serves. */
  readonly sinks?: ApplicationSinks | undefined
  readonly probes: readonly HealthProbe[]
  close(): Promise<void>
}

/** Resources of a process or a worker that serves: it asks callers for what rules require. */
export interface ServingResources extends Resources {
  readonly access: OpenAccess
}
