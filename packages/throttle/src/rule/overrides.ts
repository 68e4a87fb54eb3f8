import { type Clock, type Duration, type Exchange, parseDuration, systemClock } from '@postern/core'
import type { Rule } from './rule.ts'

/** Where rules of single keys are read, and how long each is kept. */
export interface OverridesOptions {
  /** What the rule depends on. Default: the tenant. Undefined takes the rule for everybody. */
  readonly of?: (exchange: Exchange) => string | undefined
  /**
   * Reads somebody's own rule from wherever it is kept: a table, a hash in Redis. Undefined when there is
   * none.
   */
  readonly load: (key: string) => Promise<Rule | undefined>
  /** The rule for everybody else, and until the first answer. */
  readonly otherwise: Rule
  /** How old a rule may be before it is read again. Default: `30s`. */
  readonly refresh?: Duration
  /** Rules remembered at most. Default: 10,000. */
  readonly most?: number
  /** Receives the error of a `load` that failed; the rule last known then stays. */
  readonly onError?: (error: unknown) => void
  readonly clock?: Clock
}

interface Known {
  rule: Rule | undefined
  readAt: number
  reading: 'no' | 'yes'
}

/** Loads under way at a time: a flood of unknown tenants is not a flood of queries. */
const MOST_READING = 32

/**
 * Rules of single tenants that change without a deploy: a `limit` for `throttle` that looks each up,
 * remembers it, and reads it again in the background. A request never waits for it.
 * @example
 * const load = async tenant => readRule(await db.query(SQL, [tenant]))
 * const own = overrides({ otherwise: window(100, '1m'), load })
 * throttle({ limits: [{ name: 'tenant', key: tenant(), limit: own }] })
 */
export function overrides(options: OverridesOptions): (exchange: Exchange) => Rule {
  const { of = tenantOf, otherwise } = options
  const ruleOf = ownRules(options)
  return exchange => {
    const key = of(exchange)
    return key === undefined ? otherwise : ruleOf(key)
  }
}

/** Rules of single keys, looked up as `overrides` does but by the key alone: a `Limit.own`. */
export function ownRules(options: Omit<OverridesOptions, 'of'>): (key: string) => Rule {
  const { load, otherwise, most = 10_000, clock = systemClock, onError = () => {} } = options
  const refresh = parseDuration(options.refresh ?? '30s', 'overrides.refresh')
  const known = new Map<string, Known>()
  let reading = 0

  const read = (key: string, entry: Known): void => {
    if (entry.reading === 'yes' || reading >= MOST_READING) return
    entry.reading = 'yes'
    reading++
    const asked = async (): Promise<Rule | undefined> => load(key)
    asked()
      .then(rule => {
        entry.rule = rule
      }, onError)
      .finally(() => {
        reading--
        entry.reading = 'no'
        entry.readAt = clock.monotonic()
      })
  }

  return key => {
    let entry = known.get(key)
    if (entry === undefined) {
      if (known.size >= most) forgetOldest(known)
      entry = { rule: undefined, readAt: Number.NEGATIVE_INFINITY, reading: 'no' }
      known.set(key, entry)
    }
    if (clock.monotonic() - entry.readAt >= refresh) read(key, entry)
    return entry.rule ?? otherwise
  }
}

function tenantOf(exchange: Exchange): string | undefined {
  return exchange.principal.tenant
}

function forgetOldest(known: Map<string, Known>): void {
  const oldest = known.keys().next()
  if (!oldest.done) known.delete(oldest.value)
}
