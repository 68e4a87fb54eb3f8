/**
 * The last moment that a `Date` can hold (ECMA-262, section 21.4.1.1), epoch milliseconds; the first is its
 * negative.
 */
export const LAST_MOMENT = 8.64e15

/**
 * ISO 8601 in UTC of a time in epoch milliseconds. Never throws, as `toISOString` does for a time beyond what
 * a `Date` can hold: such a time is shown as the last or first moment, and no number as the first of 1970.
 */
export function timeText(time: number): string {
  const bounded = Number.isNaN(time) ? 0 : Math.min(Math.max(time, -LAST_MOMENT), LAST_MOMENT)
  return new Date(bounded).toISOString()
}
