import {
  ALLOW,
  type Clock,
  ConfigError,
  type Decision,
  type Duration,
  type Exchange,
  formMethodOverrides,
  type Guard,
  type MethodOverride,
  mayOverrideInForm,
  type Outcome,
  parseDuration,
  systemClock,
} from '@postern/core'
import { actingIn } from '../budget/acting-as.ts'
import { WindowCounter } from '../budget/window-counter.ts'
import { changedNothing } from './changed-nothing.ts'
import { graphqlMutations, mayNameMutation } from './graphql-request.ts'
import { idsInQuery, namedUnits } from './named-units.ts'
import { SentDocuments, StoredDocuments } from './stored-documents.ts'

/** How much one actor may delete and edit through the edge. */
export interface EdgeBudgetOptions {
  /** Things that one actor may delete in the window. Default 500. */
  readonly deletes?: number
  /** Things that one actor may edit in the window. Default 5,000. */
  readonly updates?: number
  /** Default `1h`. */
  readonly window?: Duration
  /** What happens to a change whose body is too long to be read whole. Default `deny`. */
  readonly unread?: 'deny' | 'allow'
  /** Actors whose counts are kept. Default 100,000. */
  readonly capacity?: number
  readonly clock?: Clock
}

const NAME = 'budget'
const UPDATES: ReadonlySet<string> = new Set(['PUT', 'PATCH'])

type Kind = 'deletes' | 'updates'

/**
 * Counts what requests ask to delete or edit, per actor and window, for any backend behind the gateway:
 * DELETE deletes, PUT and PATCH edit (also where a POST asks to be treated as one: `_method`), once or as
 * often as the body (JSON or a form) or the query names ids;
 * mutations of GraphQL, however they are sent, are what their names say. An early refusal, not a proof: a
 * backend may change more rows than a request names, and a POST of its own making is not known to change any.
 * Requests that the backend refuses (4xx) give their units back. Counts are in this process's memory.
 * @throws ConfigError when a number is out of bounds
 */
export function edgeBudget(options: EdgeBudgetOptions = {}): Guard {
  const { deletes = 500, updates = 5_000, unread = 'deny', capacity = 100_000, clock = systemClock } = options
  const window = parseDuration(options.window ?? '1h', 'edgeBudget.window')
  for (const [name, value] of Object.entries({ deletes, updates, capacity })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ConfigError({
        place: `edgeBudget.${name}`,
        problem: 'is not a whole number',
        hint: 'give a number of items, 0 or more',
      })
  }
  const limits = { deletes, updates }
  const counters = {
    deletes: new WindowCounter(window, capacity),
    updates: new WindowCounter(window, capacity),
  }
  const stored = new StoredDocuments()
  const taken = new WeakMap<
    Exchange,
    { readonly key: string; readonly units: Readonly<Record<Kind, number>>; readonly at: number }
  >()

  const take = (exchange: Exchange, units: Readonly<Record<Kind, number>>): Decision => {
    // By name alone, as the database counts: who may make organisations has no second budget in each.
    const { actor: key } = actingIn(exchange)
    const now = clock.now()
    for (const kind of ['deletes', 'updates'] as const) {
      const asked = units[kind]
      if (asked === 0) continue
      const left = limits[kind] - counters[kind].used(key, now)
      if (asked > left) return refusal(kind, left, asked, counters[kind].opens(key, asked - left, now) - now)
    }
    for (const kind of ['deletes', 'updates'] as const)
      if (units[kind] > 0) counters[kind].add(key, units[kind], now)
    taken.set(exchange, { key, units, at: now })
    return ALLOW
  }

  const change = (exchange: Exchange, kind: Kind): Decision | Promise<Decision> => {
    if (!exchange.hasBody) return take(exchange, only(kind, idsInQuery(exchange)))
    return namedUnits(exchange).then(named => {
      if (named !== undefined) return take(exchange, only(kind, named))
      // What cannot be read cannot be counted.
      return unread === 'allow' ? ALLOW : refusal(kind, 0, 1, window)
    })
  }

  const mutate = async (exchange: Exchange): Promise<Decision> => {
    const documents = new SentDocuments(stored)
    const mutations = await graphqlMutations(exchange, documents)
    if (mutations === 'unread') return unread === 'allow' ? ALLOW : refusal('updates', 0, 1, window)
    if (mutations === undefined || mutations.deletes + mutations.updates === 0) return ALLOW
    const decision = take(exchange, mutations)
    if (decision.effect === 'allow') documents.keep()
    return decision
  }

  return {
    name: NAME,
    failure: 'closed',
    decide(exchange) {
      const kind = kindOf(exchange.method, exchange.methodOverrides)
      if (kind !== undefined) return change(exchange, kind)
      if (mayOverrideInForm(exchange))
        return formMethodOverrides(exchange).then(wishes => {
          const asked = kindOf(exchange.method, wishes ?? [])
          return asked === undefined ? mutate(exchange) : change(exchange, asked)
        })
      return exchange.method === 'POST' || mayNameMutation(exchange.path.query) ? mutate(exchange) : ALLOW
    },
    settle(exchange: Exchange, outcome: Outcome) {
      const own = taken.get(exchange)
      if (own === undefined || !changedNothing(outcome, own.units.deletes + own.units.updates)) return
      const now = clock.now()
      for (const kind of ['deletes', 'updates'] as const)
        if (own.units[kind] > 0) counters[kind].giveBack(own.key, own.units[kind], own.at, now)
    },
  }
}

/** What a request changes, by its method or one that it asks to be treated as: many backends obey. */
function kindOf(method: string, overrides: readonly MethodOverride[]): Kind | undefined {
  const methods = [method, ...overrides.map(wish => wish.method)]
  if (methods.includes('DELETE')) return 'deletes'
  return methods.some(name => UPDATES.has(name)) ? 'updates' : undefined
}

function only(kind: Kind, units: number): Readonly<Record<Kind, number>> {
  return kind === 'deletes' ? { deletes: units, updates: 0 } : { deletes: 0, updates: units }
}

function refusal(kind: Kind, left: number, asked: number, wait: number): Decision {
  return {
    effect: 'throttle',
    guard: NAME,
    status: 429,
    reasons: [
      {
        rule: `${NAME}/${kind}`,
        message: 'This would change more at once than is allowed. Change less, or retry later.',
        evidence: { location: `budget.${kind}`, facts: { allowed: Math.max(0, left), asked } },
      },
    ],
    retryAfter: Math.max(1, Math.ceil(wait / 1_000)),
  }
}
