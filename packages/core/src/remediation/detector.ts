import type { Event } from '../event/event.ts'
import type { Finding } from './remediation.ts'

/**
 * Code that watches events.
 * @example
 * ```ts
 * import type { Detector } from 'postern'
 *
 * export const counting: Detector = {
 *   name: 'counting',
 *   observe: ({ type, actor }) =>
 *     type === 'coupon.wrong'
 *       ? [
 *           {
 *             scenario: 'coupons',
 *             title: 'Guesses coupons',
 *             severity: 'medium',
 *             actor: { kind: 'address', value: actor.address ?? '' },
 *             count: 1,
 *             requests: [],
 *           },
 *         ]
 *       : undefined,
 * }
 * ```
 */
export interface Detector {
  readonly name: string
  /** Called for every event, on the thread of the requests: quick, bounded, synchronous. */
  observe(event: Event): readonly Finding[] | undefined
}
