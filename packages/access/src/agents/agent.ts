import { ConfigError, type Duration, type Principal, parseDuration } from '@postern/core'

/** Whom an agent acts for, what it may do, and how much of it. */
export interface AgentOptions {
  /** Whose agent it is. It may do what both may. */
  readonly owner: Principal
  /**
   * Actions it may do at most, exact or families (`order.*`). Default: none but
   * those named here, so name them.
   */
  readonly actions: readonly string[]
  readonly budget?: AgentBudget
}

/** What an agent may do in a window: in each process, unless `agentCounts` of `Access` is a store. */
export interface AgentBudget {
  readonly window: Duration
  /** Calls of guarded actions. */
  readonly calls?: number
  /** Rows changed, as its acts report them. */
  readonly rows?: number
  /** Calls of single actions. */
  readonly perAction?: Readonly<Record<string, number>>
}

/**
 * A program that acts on somebody's behalf: a principal with an owner, a list of
 * actions, and a budget smaller than theirs.
 */
export interface Agent {
  readonly owner: Principal
  readonly budget: (AgentBudget & { readonly windowMs: number }) | undefined
  mayCall(action: string): boolean
}

/**
 * Declares an agent.
 * @throws ConfigError for a budget that cannot hold, or an owner who is nobody
 * @example
 * const bot = agent({ owner: alice, actions: ['order.read', 'order.refund'], budget: {
 * window: '1h', calls: 100, rows: 20 } })
 */
export function agent({ owner, actions, budget }: AgentOptions): Agent {
  if (owner.id === '')
    throw new ConfigError({
      place: 'agent.owner',
      problem: 'an agent needs an identified owner',
      hint: "pass the owner's principal, as `identify` returns it, with its id",
    })
  const windowMs = budget === undefined ? 0 : parseDuration(budget.window, 'agent.budget.window')
  const counts = [budget?.calls, budget?.rows, ...Object.values(budget?.perAction ?? {})]
  if (counts.some(count => count !== undefined && !(Number.isSafeInteger(count) && count >= 0)))
    throw new ConfigError({ place: 'agent.budget', problem: 'a budget is a whole number, 0 or more' })
  if (budget !== undefined && (windowMs < 1_000 || windowMs > 31 * 86_400_000))
    throw new ConfigError({ place: 'agent.budget.window', problem: 'it must be between 1s and 31d' })
  const exact = new Set(actions)
  const families = actions.filter(action => action.endsWith('.*')).map(action => action.slice(0, -1))
  return {
    owner,
    budget: budget === undefined ? undefined : { ...budget, windowMs },
    mayCall: action => exact.has(action) || families.some(prefix => action.startsWith(prefix)),
  }
}
