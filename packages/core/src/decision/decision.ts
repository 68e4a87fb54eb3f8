import type { Answer } from './answer.ts'
import type { ConfigException } from './config-exception.ts'

/** What a guard may decide, mildest first. */
export type Effect = 'allow' | 'throttle' | 'challenge' | 'deny'

/** What a rule matched, and where. For the operator only: it may quote the request. */
export interface Evidence {
  /** `query.id`, `header.user-agent`, `body.user.name`, `path`, `limit.address`. */
  readonly location: string
  /** The part that matched, decoded, truncated, secrets masked. */
  readonly span?: string
  /** Further facts: family, score, key, counts. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/**
 * Why a guard did not simply allow.
 * @example
 * ```ts
 * import type { Reason } from 'postern'
 *
 * export const reason: Reason = {
 *   rule: 'quota/exports',
 *   message: 'You have used the exports of today.',
 *   evidence: { location: 'limit.exports', facts: { used: 10 } },
 * }
 * ```
 */
export interface Reason {
  /** Stable id of the rule: `limit/address`, `inspect/sqli`, `protocol/method`. */
  readonly rule: string
  /** One sentence for the caller, without evidence or anything else that helps to evade the rule. */
  readonly message: string
  readonly evidence?: Evidence
  /**
   * The narrowest change that would let this request pass. Only the first reason of a refusal has one; it
   * covers all reasons, and those of later guards that would have refused as well.
   */
  readonly exception?: ConfigException
}

/** The request may go on. */
export interface Allow {
  readonly effect: 'allow'
  /**
   * The guard serves this request itself (a sign-in page, an endpoint of its own): no later guard is asked,
   * the handler or backend never sees the request, and the exchange is recorded as allowed. Served in
   * `observe` mode too, because nothing is refused by it. `Content-Length`, `X-Request-Id` and the headers of
   * `exchange.reply` are added by the carrier.
   */
  readonly answer?: Answer
}

/**
 * Every decision but allow.
 * @example
 * ```ts
 * import type { Refusal } from 'postern'
 *
 * export const refusal: Refusal = {
 *   effect: 'throttle',
 *   guard: 'quota',
 *   status: 429,
 *   retryAfter: 60,
 *   reasons: [{ rule: 'quota/exports', message: 'Please wait a minute.' }],
 * }
 * ```
 */
export interface Refusal {
  readonly effect: 'throttle' | 'challenge' | 'deny'
  /** Name of the guard that refused. */
  readonly guard: string
  /** HTTP status of the answer: 429 for throttle, 401 or 403 for challenge, a 4xx or 503 for deny. */
  readonly status: number
  /** At least one, the decisive one first. */
  readonly reasons: readonly [Reason, ...Reason[]]
  /** Seconds until the same request may pass, whole, at least 1. */
  readonly retryAfter?: number
  /** Further answer headers: name, value, ... */
  readonly headers?: readonly string[]
  /**
   * Where a person goes on from the page of the refusal, as a path of this origin: to what must happen
   * first, or to see what becomes of it.
   */
  readonly next?: string
  /** Replaces the body of the answer, for example with a challenge that a browser can solve. */
  readonly content?: RefusalContent
  /**
   * Close the connection after the answer (framing can no longer be trusted, or the
   * rest of a body is unread).
   */
  readonly close?: boolean
}

/** A body of its own for a refusal. The text is sent unchanged: its author must escape what it quotes. */
export interface RefusalContent {
  /** `Content-Type`. */
  readonly type: string
  readonly text: string
  /** `Content-Security-Policy`. Default: `default-src 'none'`. */
  readonly policy?: string
}

/**
 * What a guard says about an exchange.
 * @example
 * ```ts
 * import { ALLOW, type Decision, type Exchange } from 'postern'
 *
 * export function decide(exchange: Exchange): Decision {
 *   if (exchange.header('x-closed') === undefined) return ALLOW
 *   return {
 *     effect: 'deny',
 *     guard: 'closed',
 *     status: 403,
 *     reasons: [{ rule: 'closed/now', message: 'We are closed.' }],
 *   }
 * }
 * ```
 */
export type Decision = Allow | Refusal

/**
 * The plain allow, shared so that allowing a request allocates nothing.
 * @example
 * ```ts
 * import { ALLOW, type Guard } from 'postern'
 *
 * export const quiet: Guard = { name: 'quiet', failure: 'open', decide: () => ALLOW }
 * ```
 */
export const ALLOW: Allow = Object.freeze({ effect: 'allow' })
