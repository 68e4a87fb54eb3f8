import type { Effect, Reason } from '../decision/decision.ts'
import type { Json } from '../text/json.ts'

/** The actors that limits and remediations apply to, and who is recorded as having acted. */
export interface EventActor {
  /** Client address, canonical. */
  readonly address?: string
  readonly principal?: string
  readonly tenant?: string
  readonly device?: string
  /** `User-Agent`, cut to 256 characters. */
  readonly agent?: string
}

/** The request an event belongs to. */
export interface EventRequest {
  readonly id: string
  readonly method: string
  readonly host: string
  /** Canonical path, cut to 1,024 characters. */
  readonly path: string
  /** Query with the values of secret-looking parameters masked, cut to 2,048 characters. */
  readonly query: string
  /** Pattern of the matched route. */
  readonly route?: string
}

/** How the exchange of an event ended. Milliseconds and bytes. */
export interface EventOutcome {
  readonly status: number
  readonly duration: number
  readonly bytes: number
  readonly aborted: boolean
  /** Rows changed, where a budget counted them. */
  readonly rows?: number
}

/**
 * One thing that happened, in the common schema. `type` says what: `http` for an exchange, else
 * `package.thing` (`login.failed`, `remediation.added`, `finding`, `config.reloaded`, `limit.refused`).
 * @example
 * ```ts
 * import type { Event } from 'postern'
 *
 * export const wrong: Event = {
 *   type: 'coupon.wrong',
 *   time: Date.now(),
 *   actor: { address: '203.0.113.9' },
 *   data: { length: 8 },
 * }
 * ```
 */
export interface Event {
  readonly type: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly actor: EventActor
  readonly request?: EventRequest
  /** What was attempted, in the application's words: `orders.delete`. */
  readonly action?: string
  readonly resource?: { readonly type: string; readonly id?: string } | undefined
  readonly decision?: Effect | undefined
  /** What a guard in observe mode would have decided. */
  readonly observed?: Effect | undefined
  /** Name of the guard that decided. */
  readonly guard?: string | undefined
  readonly reasons?: readonly Reason[] | undefined
  readonly outcome?: EventOutcome
  readonly data?: { readonly [key: string]: Json }
}

/** What a recorder returns once an event is durable. */
export interface Receipt {
  /** Number of the entry in the log, from 0. */
  readonly index: bigint
  /** RFC 6962 leaf hash, hex; absent when the recorder keeps no tree. */
  readonly leafHash?: string
}

/** Where events go. The audit log implements it. */
export interface EventRecorder {
  /**
   * Accepts an event without waiting (durability mode `after`): bounded, losses are counted, never throws.
   */
  record(event: Event): void
  /**
   * Resolves when the event is durable (durability mode `before`).
   * @throws StoreError when it cannot be made durable
   */
  commit(event: Event): Promise<Receipt>
}
