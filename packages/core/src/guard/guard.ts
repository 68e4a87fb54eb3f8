import type { Decision } from '../decision/decision.ts'
import type { Mode } from '../decision/mode.ts'
import type { AnswerHead } from '../exchange/answer-head.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'

/**
 * A check on an exchange.
 * @example
 * ```ts
 * import { ALLOW, type Guard, type Refusal } from 'postern'
 *
 * const closed: Refusal = {
 *   effect: 'deny',
 *   guard: 'hours',
 *   status: 403,
 *   reasons: [{ rule: 'hours/closed', message: 'Orders are taken from 8 to 18 o\'clock.' }],
 * }
 * export const hours: Guard = {
 *   name: 'hours',
 *   failure: 'closed',
 *   decide: ({ time }) => (new Date(time).getUTCHours() < 8 ? closed : ALLOW),
 * }
 * ```
 */
export interface Guard {
  /** Short and stable; part of rule ids and metrics. */
  readonly name: string
  /** Overrides the engine's mode. */
  readonly mode?: Mode
  /** What happens when `decide` throws or rejects: let the request pass (`open`) or answer 503 (`closed`). */
  readonly failure: 'open' | 'closed'
  /**
   * Answers synchronously where possible: an engine whose guards all do so creates no promise. Must not wait
   * longer than its own documented deadline.
   */
  decide(exchange: Exchange): Decision | Promise<Decision>
  /**
   * What `decide` would answer, where another guard refused already: the exception of that refusal then
   * covers this guard too. Without effect: nothing is counted, taken, sent, reported or remembered. A guard
   * without it is not asked. Leave it out where the answer depends on who acts: that is not known yet.
   */
  wouldRefuse?(exchange: Exchange): Decision | Promise<Decision>
  /**
   * Called exactly once when an exchange ends that this guard had allowed (or observed), whatever other
   * guards decided. Releases leases and learns from outcomes.
   */
  settle?(exchange: Exchange, outcome: Outcome): void
  /**
   * Called once, before the head of the handler's or backend's answer is sent, for an exchange that this
   * guard had allowed (or observed). Not called for answers that Postern makes itself (refusals,
   * `Allow.answer`: use `exchange.reply`), nor where the carrier never sees the answer (forward-auth, Next's
   * proxy, a WebSocket of a node server). When it throws, the error is reported and the answer is sent with
   * the changes made so far. Without any guard that has this hook, carriers do nothing for it.
   */
  onAnswer?(exchange: Exchange, head: AnswerHead): void
  /**
   * Called once for an exchange that was allowed and becomes a connection of another protocol (a WebSocket of
   * a node server), before the application takes it. It goes on until `settle`.
   */
  onUpgrade?(exchange: Exchange): void
}
