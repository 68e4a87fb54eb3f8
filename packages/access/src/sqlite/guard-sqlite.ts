import { constants, type DatabaseSync } from 'node:sqlite'
import { type Clock, ConfigError, systemClock } from '@postern/core'
import { type Budgets, changesOf, compileBudgets } from '../budget/budget.ts'
import { RowBudgetExceeded, readDetail } from '../budget/budget-refusal.ts'
import { type Acting, currentActing } from '../wrap/acting-as.ts'
import {
  countTrigger,
  FORGET_COUNTS,
  PUT_LIMIT,
  quote,
  SQLITE_TABLES,
  TABLES,
  TRIGGERS,
} from './sqlite-budgets.sql.ts'

/** How a SQLite database is guarded. */
export interface SqliteGuardOptions {
  readonly budgets: Budgets
  /** Who acts; default: `currentActing()`, which `actingAs` sets. */
  readonly acting?: () => Acting | undefined
  readonly clock?: Clock
}

/**
 * Guards one connection of `node:sqlite`: rows that it changes are counted by triggers, in the
 * transaction that changes them, and a statement over budget fails with an error that
 * `sqliteBudgetError` reads. An authorizer keeps SQL on this connection from the triggers, the counts
 * and the settings that they need. Run migrations before, on a connection of their own. Counts are kept
 * in the file; undo is not available for SQLite.
 *
 * Whoever can open the file with another program is not held back: SQLite has no roles.
 * @throws ConfigError naming every mistake in the budgets
 */
export function guardSqlite(db: DatabaseSync, options: SqliteGuardOptions): void {
  const { budgets, acting = currentActing, clock = systemClock } = options
  const { limits, rules } = changesOf(compileBudgets(budgets))
  db.exec('PRAGMA recursive_triggers = ON')
  db.function('postern_actor', () => acting()?.actor ?? null)
  db.function('postern_tenant', () => acting()?.tenant ?? '')
  db.function('postern_now', () => Math.floor(clock.now()))
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(SQLITE_TABLES)
    const put = db.prepare(PUT_LIMIT)
    const ids = new Map<string, number[]>()
    for (const { budget, scope, rows, step, over } of limits)
      ids.set(budget, [...(ids.get(budget) ?? []), Number(put.get(budget, scope, rows, step, over)?.['id'])])
    for (const name of namesOf(db, TRIGGERS)) db.exec(`DROP TRIGGER ${quote(name)}`)
    const tables = namesOf(db, TABLES)
    const guarded = new Map<string, { table: string; action: string; limits: number[] }>()
    for (const { budget, relation, action } of rules) {
      const matching = relation === '' ? tables : tables.filter(table => table === relation)
      if (matching.length === 0)
        throw new ConfigError({ place: `budgets["${budget}"]`, problem: `there is no table "${relation}"` })
      for (const table of matching) {
        const own = guarded.get(`${action} ${table}`) ?? { table, action, limits: [] }
        own.limits.push(...(ids.get(budget) ?? []))
        guarded.set(`${action} ${table}`, own)
      }
    }
    for (const { table, action, limits: own } of guarded.values()) db.exec(countTrigger(table, action, own))
    db.prepare(FORGET_COUNTS).run(Math.floor(clock.now()))
    db.exec('COMMIT')
    const names = new Set([...guarded.values()].map(({ table }) => table))
    db.setAuthorizer((action, first, second, _database, source) =>
      authorize(names, action, first, second, source),
    )
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

function namesOf(db: DatabaseSync, sql: string): readonly string[] {
  return db
    .prepare(sql)
    .all()
    .map(row => String(row['name']))
}

const OURS = /^postern_/i
const LOCKED_PRAGMAS: ReadonlySet<string> = new Set([
  'recursive_triggers',
  'writable_schema',
  'trusted_schema',
])
const { SQLITE_OK, SQLITE_DENY } = constants

/** Denies, as a statement is prepared, what would touch the count rather than the rows. */
function authorize(
  guarded: ReadonlySet<string>,
  action: number,
  first: string | null,
  second: string | null,
  source: string | null,
): number {
  switch (action) {
    case constants.SQLITE_INSERT:
    case constants.SQLITE_UPDATE:
    case constants.SQLITE_DELETE:
      return first !== null && OURS.test(first) && !(source !== null && OURS.test(source))
        ? SQLITE_DENY
        : SQLITE_OK
    case constants.SQLITE_CREATE_TRIGGER:
    case constants.SQLITE_CREATE_TEMP_TRIGGER:
    case constants.SQLITE_DROP_TRIGGER:
    case constants.SQLITE_DROP_TEMP_TRIGGER:
    case constants.SQLITE_CREATE_VIEW:
    case constants.SQLITE_CREATE_TEMP_VIEW:
    case constants.SQLITE_CREATE_TEMP_TABLE:
      return first !== null && OURS.test(first) ? SQLITE_DENY : SQLITE_OK
    case constants.SQLITE_DROP_TABLE:
      return first !== null && (OURS.test(first) || guarded.has(first)) ? SQLITE_DENY : SQLITE_OK
    case constants.SQLITE_ALTER_TABLE:
      return second !== null && (OURS.test(second) || guarded.has(second)) ? SQLITE_DENY : SQLITE_OK
    case constants.SQLITE_PRAGMA:
      return first !== null && second !== null && LOCKED_PRAGMAS.has(first.toLowerCase())
        ? SQLITE_DENY
        : SQLITE_OK
    default:
      return SQLITE_OK
  }
}

const MESSAGE = 'postern budget '

/**
 * An error of a guarded SQLite connection as what it means: `RowBudgetExceeded` when a
 * budget refused; every other error as it is. Call it where the work was done: who acts there hears of it.
 */
export function sqliteBudgetError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  const detail = message.startsWith(MESSAGE) ? readDetail(message.slice(MESSAGE.length)) : undefined
  if (detail === undefined) return error
  const meant = new RowBudgetExceeded(detail, { cause: error })
  currentActing()?.refused?.(meant)
  return meant
}
