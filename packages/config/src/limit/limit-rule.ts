import { ConfigError, meantDuration } from '@postern/core'
import { concurrency, gcra, type Rule, window } from '@postern/throttle'

/**
 * A rule as data, or as text: `100/1m`, `10/1s burst 50`, `20 at once`.
 * @example
 * ```ts
 * import { gcra, type LimitRule } from 'postern'
 *
 * export const rules: readonly LimitRule[] = ['100/1m', '20 at once', gcra({ rate: 10, burst: 50 })]
 * ```
 */
export type LimitRule = Rule | string

const TEXT =
  /^\s*(\d{1,10})\s*(?:\/\s*([\d.]+(?:ms|[smhdw])|ms|[smhdw])(?:\s+burst\s+(\d{1,10}))?|(at once))\s*$/

/**
 * The rule that a text or rule stands for. `100/1m` is at most 100 in any minute; `10/1s burst 50` earns 10 a
 * second and lets 50 be spent at once; `20 at once` is a concurrency limit.
 * @throws ConfigError for any other text, and for numbers the rule cannot have
 */
export function parseLimitRule(value: LimitRule): Rule {
  if (typeof value !== 'string') return value
  const match = TEXT.exec(value)
  if (match === null)
    throw new ConfigError({
      place: 'limit',
      problem: `"${value.slice(0, 40)}" is not a limit`,
      hint: hintFor(value),
    })
  const [, count, per = '', burst, atOnce] = match
  if (atOnce !== undefined) return concurrency(Number(count))
  const span = /^[a-z]/.test(per) ? `1${per}` : per
  return burst === undefined
    ? window(Number(count), span)
    : gcra({ rate: Number(count), per: span, burst: Number(burst) })
}

/** In words, as `100 per minute`, `100/min`, `1,200/1m`, `5 requests / 10 seconds` or `20 concurrent`. */
const SPOKEN =
  /^\s{0,8}(\d{1,10}(?:[,_' ]\d{3}){0,3})\s{0,8}(?:requests?|req|reqs|hits|times)?\s{0,8}(?:\/|per\b|an?\b|every\b|in\b)\s{0,8}(.{1,30})$/i
const AT_ONCE = /^\s{0,8}(\d{1,10})\s{0,8}(?:concurrent|parallel|simultaneous|at a time|at once)\b/i

function hintFor(text: string): string {
  const said = 'write e.g. "100/1m", "10/1s burst 50" or "20 at once"'
  const atOnce = AT_ONCE.exec(text)
  if (atOnce !== null) return `write "${atOnce[1]} at once"`
  const [, count = '', per = ''] = SPOKEN.exec(text) ?? []
  const span = per === '' ? undefined : meantDuration(per)
  return span === undefined ? said : `write "${count.replace(/\D/g, '')}/${span}"`
}
