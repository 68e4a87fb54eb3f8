import { ConfigError, type Duration, parseDuration } from '@postern/core'
import { requireKnownOptions } from './known-options.ts'
import { encodeStep, SHORTEST_STEP } from './step-code.ts'

/**
 * Counts above this need counters of 32 bits in the memory table, of which a slot holds five instead of nine.
 */
const NARROW_LIMIT = 65_535
const MAX_LIMIT = 2_147_483_647

/**
 * How much of something one key may have. All rules have the same fields in the same order, so that the code
 * that reads them on every request stays monomorphic; make them with `window`, `gcra` and `concurrency`, and
 * keep them: they are immutable.
 */
export interface Rule {
  readonly kind: 'window' | 'gcra' | 'concurrency'
  /** Units in the window, burst of a GCRA, or requests at a time. */
  readonly limit: number
  /** Milliseconds: the window, the time in which an empty GCRA fills up, or the longest life of a lease. */
  readonly window: number
  /** Sub-windows into which the window is divided: 8, or 4 for limits above 65,535. */
  readonly parts: number
  /** Milliseconds of one sub-window. */
  readonly step: number
  /** `step` in 16 bits; see `step-code.ts`. */
  readonly code: number
  /** Milliseconds in which a GCRA earns one unit; 0 for the others. */
  readonly interval: number
  /** Units a process takes from a remote store at once; 0 to ask for every request. */
  readonly lease: number
  /** What one unit adds to the pressure (0 to 254) of a key in the memory table. */
  readonly weight: number
}

export interface WindowOptions {
  /**
   * Units that a process may take from a remote store at once and then spend by itself, within an eighth of
   * the window. Units are debited before they are spent and the window is counted an eighth longer, so
   * nothing is ever admitted beyond the limit; what a process does not spend in time is lost to the caller.
   * Worth it for limits in the thousands.
   */
  readonly lease?: number
}

/**
 * At most `limit` units in ANY span of `span`, wherever it starts: the default rule.
 *
 * The window is divided into 8 sub-windows, and the oldest, which has partly left, is counted whole. The
 * caller's real window is thus between one and 1 1/8 times as long; it is never shorter. (Above 65,535 units:
 * 4 sub-windows, up to 1 1/4.)
 * @throws ConfigError for a limit that is not a whole number from 1 to 2,147,483,647, or a span below 100 ms
 * @example
 * ```ts
 * import { limit } from 'postern'
 *
 * console.log(limit(100, '1m').window) // prints: 60000
 * ```
 */
export function window(limit: number, span: Duration, options: WindowOptions = {}): Rule {
  requireLimit(limit, 'limit()')
  const ms = parseDuration(span, 'limit()')
  requireKnownOptions('limit', options, ['lease'])
  const lease = options.lease ?? 0
  if (lease !== 0 && !(Number.isInteger(lease) && lease > 0 && lease <= limit / 2)) {
    throw new ConfigError({
      place: 'limit().lease',
      problem: `${lease} is not a whole number from 1 to half the limit`,
      hint: 'a hundredth of the limit is a good lease',
    })
  }
  return windowRule('window', limit, ms, lease)
}

/** At most `limit` requests of one key being handled at the same time. */
export interface ConcurrencyOptions {
  /**
   * The longest a request may hold its place. Default: `60s`. A process that dies gives its
   * places back after at most 1 1/8 times this. Longer than the slowest request, or slow requests stop
   * counting.
   */
  readonly lease?: Duration
}

/**
 * At most `limit` requests at a time. A place is taken with the decision, given back when the exchange ends,
 * and expires by itself.
 * @throws ConfigError as `window` does
 * @example
 * ```ts
 * import { concurrency, defineConfig } from 'postern'
 *
 * export default defineConfig({ routes: { '/export/**': { throttle: concurrency(2) } } })
 * ```
 */
export function concurrency(limit: number, options: ConcurrencyOptions = {}): Rule {
  requireLimit(limit, 'concurrency()')
  requireKnownOptions('concurrency', options, ['lease'])
  return windowRule('concurrency', limit, parseDuration(options.lease ?? '60s', 'concurrency().lease'), 0)
}

/** Either a rate and a burst, or a limit that is to hold in any window. */
export type GcraOptions =
  | {
      /** Units earned per `per`. */
      readonly rate: number
      /** Default: `1s`. */
      readonly per?: Duration
      /** Units that may be spent at once after a rest. */
      readonly burst: number
    }
  | {
      /** Most units in any `window`; the rate is what the burst leaves of it. */
      readonly limit: number
      readonly window: Duration
      readonly burst: number
    }

/**
 * The generic cell rate algorithm (ITU-T I.371): a steady rate with a burst after rest. It admits at most
 * `burst + rate x W` units in any window W, so it keeps the promise "L in any W" when
 * `burst + rate x W <= L`: the form with `limit` and `window` chooses the rate so.
 * @throws ConfigError for a rate or burst that is not positive, or a burst that leaves nothing of the limit
 * @example
 * ```ts
 * import { gcra } from 'postern'
 *
 * const { limit, interval } = gcra({ rate: 10, burst: 50 })
 * console.log(limit, interval) // prints: 50 100
 * ```
 */
export function gcra(options: GcraOptions): Rule {
  requireKnownOptions(
    'gcra',
    options,
    'rate' in options ? ['rate', 'per', 'burst'] : ['limit', 'window', 'burst'],
  )
  requireLimit(options.burst, 'gcra.burst')
  let interval: number
  if ('rate' in options) {
    interval = parseDuration(options.per ?? '1s', 'gcra.per') / options.rate
  } else {
    requireLimit(options.limit, 'gcra.limit')
    interval = parseDuration(options.window, 'gcra.window') / (options.limit - options.burst)
  }
  if (!(interval > 0 && Number.isFinite(interval))) {
    throw new ConfigError({
      place: 'gcra',
      problem: 'has a rate of zero or infinity',
      hint: 'give a rate above 0, or a burst below the limit',
    })
  }
  const { burst } = options
  return {
    kind: 'gcra',
    limit: burst,
    window: burst * interval,
    parts: 0,
    step: 0,
    code: 1,
    interval,
    lease: 0,
    weight: 254 / burst,
  }
}

/**
 * The same rule for a part of its callers: what one of several processes may admit by itself. At least one
 * unit.
 * @param share above 0, at most 1
 */
export function scaleRule(rule: Rule, share: number): Rule {
  const limit = Math.max(1, Math.floor(rule.limit * share))
  if (rule.kind !== 'gcra') return windowRule(rule.kind, limit, rule.window, 0)
  const interval = rule.interval / share
  return { ...rule, limit, interval, window: limit * interval, weight: 254 / limit }
}

function windowRule(kind: 'window' | 'concurrency', limit: number, ms: number, lease: number): Rule {
  if (ms < SHORTEST_STEP * 8 || ms > 366 * 86_400_000) {
    throw new ConfigError({
      place: kind === 'window' ? 'limit()' : 'concurrency()',
      problem: `${ms} ms is too ${ms > 1_000 ? 'long' : 'short'}`,
      hint: 'give one from 100ms to 366d',
    })
  }
  const parts = limit > NARROW_LIMIT ? 4 : 8
  const { code, length } = encodeStep(ms / parts)
  return { kind, limit, window: ms, parts, step: length, code, interval: 0, lease, weight: 254 / limit }
}

function requireLimit(limit: number, place: string): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return
  throw new ConfigError({
    place,
    problem: `${shown(limit)} is not a whole number from 1 to 2,147,483,647`,
    hint: hintFor(limit, place),
  })
}

function shown(value: unknown): string {
  return typeof value === 'function' ? 'a function' : String(value).slice(0, 40)
}

function hintFor(found: unknown, place: string): string {
  if (typeof found === 'function')
    return 'a rule for each plan or key is plan: async key => limit(1000, "1m"), beside the limit of all others'
  if (typeof found === 'number' && found > 0 && found < 1)
    return 'less than one in a span is one in a longer span: limit(1, "1m")'
  if (found === 0) return 'to admit nobody, refuse the route; to admit everybody, leave the limit out'
  if (place === 'limit()' && typeof found === 'string' && Number.isNaN(Number(found)))
    return 'the number comes first: limit(100, "1m")'
  return place === 'concurrency()' ? 'e.g. concurrency(2)' : 'e.g. limit(100, "1m")'
}
