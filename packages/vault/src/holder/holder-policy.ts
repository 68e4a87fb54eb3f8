import type { BudgetLimits } from './budgets.ts'

/** What one service may do. Columns are `table.column`, `table.*` or `*`. */
export interface ServiceRights {
  readonly seal: readonly string[]
  readonly open: readonly string[]
  readonly search: readonly string[]
  /** Whether it may ask to harden passwords. Default false. */
  readonly harden?: boolean
  /** Its own budgets where they differ from the general ones. */
  readonly budgets?: Partial<BudgetLimits>
  /** Its own budgets of the last 24 hours, likewise. */
  readonly daily?: Partial<BudgetLimits>
}

/** Budgets of the last 24 hours, in record versions. What is not named has none. */
export interface DailyLimits extends Partial<BudgetLimits> {
  /** Search terms, counted as `searches` of the window are. */
  readonly searches?: number
  /** Guesses at one user's password. */
  readonly guesses?: number
}

/** The policy of a holder: which services may do what, and how much is opened in a window and a day. */
export interface HolderPolicy {
  readonly services: Readonly<Record<string, ServiceRights>>
  /** Public keys of those who say whose a key is, base64url. */
  readonly enrollers: readonly string[]
  readonly budgets: BudgetLimits
  /** Length of the budget window, milliseconds. */
  readonly window: number
  /** Budgets of a day beside those of the window. Default: none. */
  readonly daily?: DailyLimits
  /** Guesses at one user's password in one window. */
  readonly guesses: number
  /**
   * Distinct search terms that one service asks for in one window. Terms that it stores are counted apart,
   * with 100 times the limit.
   */
  readonly searches: number
}

/** Budgets that suit a small application: an hour's window. */
export const DEFAULT_BUDGETS: BudgetLimits = {
  person: 500,
  service: 200,
  served: 20_000,
  table: 50_000,
  all: 50_000,
}

/** The policy of a holder that configures nothing, but for its services. */
export const DEFAULT_POLICY: Omit<HolderPolicy, 'services'> = {
  enrollers: [],
  budgets: DEFAULT_BUDGETS,
  window: 3_600_000,
  guesses: 20,
  searches: 1_000,
}

/**
 * Whether a list of rights covers a column. A column whose name has a dot needs the whole table: `a.b.c`
 * names column `c` of `a.b`, and not column `b.c` of `a`.
 */
export function covers(rights: readonly string[], table: string, column: string): boolean {
  return rights.some(
    right =>
      right === '*' || right === `${table}.*` || (right === `${table}.${column}` && !column.includes('.')),
  )
}

/** `covers` for the columns of many records: asked once for a run of one column. */
export function coversAll(
  rights: readonly string[],
  items: readonly { readonly table: string; readonly column: string }[],
): boolean {
  let last: { readonly table: string; readonly column: string } | undefined
  for (const item of items) {
    if (last !== undefined && item.table === last.table && item.column === last.column) continue
    if (!covers(rights, item.table, item.column)) return false
    last = item
  }
  return true
}
