import { ConfigError, type ConfigIssue, type Duration, parseDuration } from '@postern/core'

/**
 * What happens to a change that is over budget. The database refuses it in every
 * case; this says how the wrappers go on.
 */
export type OverBudget = 'deny' | 'delay' | 'stepUp' | 'approval'

/**
 * What a statement does to rows. TRUNCATE deletes; COPY FROM inserts; MERGE and
 * upsert are what they do to each row. `select` is what is sent to the application: see `ReadBudgets`.
 */
export type RowAction = 'delete' | 'update' | 'insert' | 'select'

/** Further settings of a budget. */
export interface RowsOptions {
  /** Default `deny`. */
  readonly over?: OverBudget
  /** Rows that all actors of one tenant together may change in the window. Default: not limited. */
  readonly tenant?: number
  /** Rows of one table that all actors together may change in the window. Default: not limited. */
  readonly table?: number
  /**
   * Rows that all actors together may change in the window, over all tables of the
   * budget. Default: not limited.
   */
  readonly global?: number
  /**
   * Whether old rows are kept, so that `postern undo` can put them back. Default
   * true for deletions and edits.
   */
  readonly undo?: boolean
  /**
   * `orders` or `sales.orders`; `*` for all tables of the schemas. Default: what stands
   * before the last dot of the budget's name.
   */
  readonly tables?: readonly string[]
  /** Default: what stands after the last dot of the budget's name. */
  readonly actions?: readonly RowAction[]
}

/** A budget: how many rows one actor may change in a window. Made by `rows`. */
export interface RowBudget extends RowsOptions {
  readonly rows: number
  readonly window: Duration
}

/**
 * A budget of so many rows in any window of that length, for each actor.
 * @example
 * const budgets = { 'orders.delete': rows(50, '1h', { over: 'approval', tenant: 500
 * }), '*.update': rows(1_000, '1h') }
 */
export function rows(count: number, window: Duration, options: RowsOptions = {}): RowBudget {
  return { ...options, rows: count, window }
}

/** Budgets by name. A name is `TABLE.ACTION`, or free when `tables` and `actions` are given. */
export type Budgets = Readonly<Record<string, RowBudget>>

/** Budgets for an application that says nothing: generous for ordinary work, far below a wipe. */
export const DEFAULT_BUDGETS: Budgets = {
  '*.delete': rows(500, '1h', { tenant: 5_000 }),
  '*.update': rows(5_000, '1h', { tenant: 50_000 }),
  '*.select': rows(10_000, '1h', { tenant: 100_000 }),
}

/** One limit of a budget: whom it is held against, and how much. */
export interface BudgetLimit {
  readonly budget: string
  readonly scope: 'actor' | 'tenant' | 'table' | 'global'
  readonly rows: number
  /** Milliseconds of one of the eight steps of the window. */
  readonly step: number
  readonly over: OverBudget
}

/** One table and action that a budget is about. */
export interface BudgetRule {
  readonly budget: string
  /** Empty: the schemas of the installation. */
  readonly schema: string
  /** Empty: every table. */
  readonly relation: string
  readonly action: RowAction
  readonly undo: boolean
}

/** Budgets, checked and taken apart. */
export interface CompiledBudgets {
  readonly limits: readonly BudgetLimit[]
  readonly rules: readonly BudgetRule[]
}

const NAME = /^[\w.*-]{1,100}$/
const ACTIONS: readonly string[] = ['delete', 'update', 'insert', 'select'] satisfies RowAction[]
/**
 * A step is the window over this: a unit counts for at least the window, at most an eighth longer. Never
 * shorter, so there is no burst at an edge.
 */
const STEPS = 8
const MIN_WINDOW = 1_000
const MAX_WINDOW = 366 * 86_400_000

/** Those that triggers count: all but reads, which guarded connections count. */
export function changesOf({ limits, rules }: CompiledBudgets): CompiledBudgets {
  const changes = rules.filter(({ action }) => action !== 'select')
  return {
    limits: limits.filter(limit => changes.some(({ budget }) => budget === limit.budget)),
    rules: changes,
  }
}

/**
 * Budgets with their defaults, by table and action, ready to be installed or counted.
 * @param root place of the budgets, for errors
 * @throws ConfigError naming every mistake
 */
export function compileBudgets(budgets: Budgets, root = 'budgets'): CompiledBudgets {
  const issues: ConfigIssue[] = []
  const limits: BudgetLimit[] = []
  const rules: BudgetRule[] = []
  for (const [name, budget] of Object.entries(budgets)) {
    const place = `${root}["${name.slice(0, 100)}"]`
    if (!NAME.test(name)) {
      issues.push({
        place,
        problem: 'is not a name of a budget',
        hint: 'up to 100 letters, digits, ".", "_", "-" and "*"',
      })
      continue
    }
    limits.push(...limitsOf(name, budget, place, issues))
    rules.push(...rulesOf(name, budget, place, issues))
  }
  if (limits.length === 0 && issues.length === 0)
    issues.push({
      place: root,
      problem: 'is empty',
      hint: "e.g. { '*.delete': { rows: 500, window: '1h' } }",
    })
  if (issues.length > 0) throw new ConfigError(issues)
  return { limits, rules }
}

function limitsOf(
  budget: string,
  { rows, window, over = 'deny', tenant, table, global }: RowBudget,
  place: string,
  issues: ConfigIssue[],
): readonly BudgetLimit[] {
  const length = lengthOf(window, `${place}.window`, issues)
  const step = Math.ceil(length / STEPS)
  const scopes = { actor: rows, tenant, table, global }
  return Object.entries(scopes).flatMap(([scope, count]) => {
    if (count === undefined) return []
    if (!Number.isSafeInteger(count) || count < 0)
      issues.push({
        place: `${place}.${scope === 'actor' ? 'rows' : scope}`,
        problem: 'is not a whole number of rows',
      })
    return [{ budget, scope: scope as BudgetLimit['scope'], rows: count, step, over }]
  })
}

/** Milliseconds of a window. */
function lengthOf(window: Duration, place: string, issues: ConfigIssue[]): number {
  try {
    const length = parseDuration(window, place)
    if (length < MIN_WINDOW || length > MAX_WINDOW)
      issues.push({ place, problem: 'must be between 1s and 366d' })
    return length
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    issues.push(...error.issues)
    return MIN_WINDOW
  }
}

function rulesOf(
  budget: string,
  { tables, actions, undo = true }: RowBudget,
  place: string,
  issues: ConfigIssue[],
): readonly BudgetRule[] {
  const dot = budget.lastIndexOf('.')
  const given = tables ?? (dot > 0 ? [budget.slice(0, dot)] : [])
  const acts: readonly string[] = actions ?? [budget.slice(dot + 1)]
  if (given.length === 0)
    issues.push({
      place,
      problem: 'names no table',
      hint: "call it TABLE.ACTION, for example 'orders.delete', or give tables",
    })
  for (const action of acts) {
    if (!ACTIONS.includes(action))
      issues.push({
        place,
        problem: `"${action}" is not an action`,
        hint: `use one of ${ACTIONS.join(', ')}`,
      })
  }
  return given.flatMap(table => {
    const [relation = '', schema = '', ...more] = table.split('.').reverse()
    if (relation === '' || more.length > 0)
      issues.push({
        place: `${place}.tables`,
        problem: `"${table}" is not a table`,
        hint: 'write table or schema.table',
      })
    return acts.map(action => ({
      budget,
      schema: schema === '*' ? '' : schema,
      relation: relation === '*' ? '' : relation,
      action: action as RowAction,
      undo: undo && (action === 'delete' || action === 'update'),
    }))
  })
}
