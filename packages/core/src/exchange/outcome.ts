/**
 * How an exchange ended.
 * @example
 * ```ts
 * import { ALLOW, type Guard, type Outcome } from 'postern'
 *
 * const slow: Outcome[] = []
 * export const watching: Guard = {
 *   name: 'watching',
 *   failure: 'open',
 *   decide: () => ALLOW,
 *   settle: (_exchange, outcome) => {
 *     if (outcome.duration > 1_000 && slow.length < 100) slow.push(outcome)
 *   },
 * }
 * ```
 */
export interface Outcome {
  /**
   * Status sent; 0 when the connection died before a head was sent, or the carrier
   * never sees the answer (forward-auth).
   */
  readonly status: number
  /** Milliseconds from arrival to the end of the answer. */
  readonly duration: number
  /** Bytes of the answer's body, where the carrier knows them. */
  readonly bytes: number
  /** Whether the client or the backend went away before the end. */
  readonly aborted: boolean
}
