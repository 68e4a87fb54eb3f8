import type { Config } from '@postern/config'
import type { Event, GuardTime, Json } from '@postern/core'
import type { MetricCounts } from '../telemetry/metrics.ts'

/** What the command line says over the file; plain, so that it can be handed to a thread. */
export type Overrides = Pick<
  Config,
  'upstream' | 'listen' | 'workers' | 'mode' | 'admin' | 'console' | 'forwardAuth' | 'trustProxies'
>

/**
 * The configuration that is in force, for the workers: what its file says by then may be another one, half of
 * one, or none that can be used.
 */
export interface WorkerConfiguration {
  /**
   * Text of a YAML or JSON file. Undefined for a program: workers import it, for functions cannot be handed
   * over.
   */
  readonly text: string | undefined
}

/** What a worker of the gateway starts from. */
export interface WorkerPlan extends WorkerConfiguration {
  /** Absolute path of the configuration; undefined for the defaults. */
  readonly file: string | undefined
  readonly folder: string
  readonly overrides: Overrides
  readonly dataDirectory: string
  /** Where to listen: the port was found free, and is the same for all. */
  readonly host: string
  readonly port: number
  /** Counters of all workers. */
  readonly limits: SharedArrayBuffer
  /** Signs the puzzles of challenges. */
  readonly secret: Uint8Array
}

/** An event on its way to the main thread, where the log and the detectors are. */
export interface ForwardedEvent {
  readonly event: Event
  readonly record: 'record' | 'pass'
  /** What scenarios ask of a request and the log must not hold: the target as sent may carry secrets. */
  readonly seen:
    | {
        /** Milliseconds in the guards, where they are timed. */
        readonly layer?: number
        /** The guards that were asked, where they are timed and the request is worth it. */
        readonly guardTimes?: readonly GuardTime[]
        readonly target: string
        readonly referer: string
        readonly httpVersion: string
        /** Kind, roles and scopes of the principal, where there is more than an id. */
        readonly acting?: Json
        /** As the client sent it. */
        readonly traceparent?: string
        /** Country of the client, where a trusted proxy says it. */
        readonly country?: string
        /** How the client says who it is, without what proves it. */
        readonly credential?: { readonly kind: string; readonly mark: number }
        /** Id of the API key that acted. */
        readonly key?: string
      }
    | undefined
}

/** What a worker sends. */
export type FromWorker =
  | {
      readonly kind: 'events'
      readonly batch: number
      readonly events: readonly ForwardedEvent[]
      /** Events that found no room before these, since the batch before. */
      readonly lost: number
    }
  | { readonly kind: 'commit'; readonly id: number; readonly event: Event }
  | { readonly kind: 'metrics'; readonly counts: MetricCounts }

/** What the main thread answers to the worker that sent something. */
export type ToWorker =
  | { readonly kind: 'taken'; readonly batch: number }
  | {
      readonly kind: 'committed'
      readonly id: number
      readonly index: bigint
      readonly leafHash: string | undefined
    }
  | { readonly kind: 'failed'; readonly id: number; readonly problem: string }
