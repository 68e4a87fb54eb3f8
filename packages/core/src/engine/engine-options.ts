import type { CidrSet } from '../address/cidr.ts'
import type { Mode } from '../decision/mode.ts'
import type { EventRecorder } from '../event/event.ts'
import type { AnswerStyle, Exchange, RecordTime } from '../exchange/exchange.ts'
import type { Guard } from '../guard/guard.ts'
import type { Detector } from '../remediation/detector.ts'
import type { Remediations } from '../remediation/remediation.ts'
import type { RouteTable } from '../route/route-table.ts'
import type { Clock } from '../system/clock.ts'
import type { HealthProbe } from '../system/health.ts'
import type { RandomSource } from '../system/random.ts'
import type { Timers } from '../system/timers.ts'

/** What an engine is made of. */
export interface EngineOptions {
  /** Asked in this order, up to the first refusal. */
  readonly guards?: readonly Guard[]
  /**
   * Asked when the application itself names the principal after `decide` (`Engine.identify`): the guards that
   * decide about principals, in this order. Their `settle` is not called for this: one that holds a resource
   * must do so through a guard in `guards`.
   */
  readonly identified?: readonly Guard[]
  readonly detectors?: readonly Detector[]
  readonly recorder?: EventRecorder
  readonly remediations?: Remediations
  /** Default: `enforce`. `observe` overrides every guard's own mode. */
  readonly mode?: Mode
  readonly routes?: RouteTable
  readonly trustedProxies?: CidrSet
  /** How answers look that Postern makes itself. */
  readonly style?: AnswerStyle
  /** Bytes of a body that guards may read ahead. Default: 1 MiB. */
  readonly bodyLimit?: number
  /**
   * Durability mode of the log entry of an allowed exchange; chosen before it is handled. Refusals are
   * always recorded with `after`. Default: `after` for everything but successful reads (GET, HEAD,
   * OPTIONS below status 400), which are `none`.
   */
  readonly record?: (exchange: Exchange) => RecordTime
  readonly clock?: Clock
  readonly random?: RandomSource
  /**
   * Called with errors that guards, detectors and listeners threw. Default: writes to standard
   * error. Never receives request contents.
   */
  readonly onError?: (part: string, error: unknown) => void
  /** Asked for readiness. */
  readonly probes?: readonly HealthProbe[]
  /**
   * Runs the handler of an allowed exchange, and returns what it returns: for what the handler's own code
   * must be able to find, such as who acts. Default: nothing is put around it.
   */
  readonly around?: Around
  /**
   * `guards` keeps in `exchange.guardTimes` which guards were asked and how long each took: one reading of
   * the clock a guard. Default: `none`.
   */
  readonly timing?: 'guards' | 'none'
  /** For the time that a refusal may wait for what later guards say. */
  readonly timers?: Timers
}

/** Calls `work` once, at once, and returns what it returns. */
export type Around = <Result>(exchange: Exchange, work: () => Result) => Result
