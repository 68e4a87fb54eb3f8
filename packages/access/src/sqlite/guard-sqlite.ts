import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { type Clock, ConfigError, type Duration, parseDuration, systemClock } from '@postern/core'
import { type Acting, type ActingRun, currentActing, currentRun } from '../budget/acting-as.ts'
import { type Budgets, changesOf, compileBudgets, type RowAction } from '../budget/budget.ts'
import { budgetError, RowBudgetExceeded } from '../budget/budget-refusal.ts'
import { budgetAuthorizers, type ColumnRights, hiddenColumns } from './authorizer.ts'
import { refuseHiddenJoins } from './shared-names.ts'
import {
  ALL_TRIGGERS,
  countTrigger,
  FORGET_COUNTS,
  FORGET_OTHER_WINDOW,
  PUT_LIMIT,
  quote,
  SQLITE_TABLES,
  TABLES,
  TRIGGERS,
} from './sqlite-budgets.sql.ts'
import {
  COLUMNS,
  FORGET_JOURNAL,
  type KeepTrigger,
  type KeptTable,
  keepTrigger,
  SQLITE_JOURNAL,
} from './sqlite-journal.sql.ts'
import { type SqliteChange, type SqliteUndo, sqliteChanges, undoSqlite } from './undo-sqlite.ts'

/** How a SQLite database is guarded. */
export interface SqliteGuardOptions {
  readonly budgets: Budgets
  /** Who acts; default: `currentActing()`, which `actingAs` sets. */
  readonly acting?: () => Acting | undefined
  /** How long old rows can be put back, counted when the guard is set up. Default `30d`. */
  readonly retention?: Duration
  /**
   * Columns that SQL on this connection may not read, or not edit, whoever acts: SQLite checks them as a
   * statement is prepared. Default none.
   */
  readonly columns?: Readonly<Record<string, ColumnRights>>
  readonly clock?: Clock
}

/** A guarded connection, for whoever runs the application: not for what an actor asks for. */
export interface SqliteGuard {
  /** What is in the journal, newest first, a thousand entries at most. */
  changes(query?: { readonly actor?: string; readonly since?: number }): readonly SqliteChange[]
  /**
   * Puts the rows of a change back, and counts nothing. Triggers of the application fire.
   * @param conflicts what happens when a row was made or edited again since. Default `stop`: nothing is
   *   written
   * @throws ConfigError when a transaction is open, or a row cannot be put back
   */
  undo(change: string, options?: { readonly conflicts?: 'stop' | 'skip' }): SqliteUndo
}

/**
 * Guards one connection of `node:sqlite`: rows that it changes are counted by triggers, in the
 * transaction that changes them, and a statement over budget fails with an error that
 * `sqliteBudgetError` reads. An authorizer keeps SQL on this connection from the triggers, the counts
 * and the settings that they need. Run migrations before, after `removeSqliteBudgets`. Counts are kept in
 * the file, and so are the old rows of budgets with `undo`, as they are: the journal is not sealed.
 *
 * Whoever can open the file with another program is not held back: SQLite has no roles.
 * @throws ConfigError naming every mistake in the budgets; for a connection of another driver, which has no
 * authorizer
 */
export function guardSqlite(db: DatabaseSync, options: SqliteGuardOptions): SqliteGuard {
  if (typeof db.setAuthorizer !== 'function' || typeof db.function !== 'function')
    throw new ConfigError({
      place: 'guardSqlite',
      problem: 'this is not a DatabaseSync of node:sqlite, which alone can keep SQL from the counts',
      hint: 'open the file with node:sqlite; better-sqlite3 and sqlite3 have no authorizer',
    })
  const { budgets, acting = currentActing, columns = {}, clock = systemClock } = options
  const retention = parseDuration(options.retention ?? '30d', 'retention')
  const changes = new WeakMap<Acting | ActingRun, string>()
  let isCounting = true
  const { limits, rules } = changesOf(compileBudgets(budgets))
  db.exec('PRAGMA recursive_triggers = ON')
  db.function('postern_actor', () => acting()?.actor ?? null)
  db.function('postern_tenant', () => acting()?.tenant ?? '')
  db.function('postern_now', () => Math.floor(clock.now()))
  db.function('postern_counting', () => Number(isCounting))
  db.function('postern_change', () => {
    const who = acting === currentActing ? currentRun() : acting()
    if (who === undefined) return ''
    const change = changes.get(who) ?? randomUUID()
    changes.set(who, change)
    return change
  })
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(SQLITE_TABLES + SQLITE_JOURNAL)
    const ids = writeLimits(db, limits)
    for (const name of namesOf(db, TRIGGERS)) db.exec(`DROP TRIGGER main.${quote(name)}`)
    const guarded = guardedActions(rules, ids, namesOf(db, TABLES))
    const keeps = createTriggers(db, guarded)
    db.prepare(FORGET_COUNTS).run(Math.floor(clock.now()))
    db.prepare(FORGET_JOURNAL).run(Math.floor(clock.now()) - retention)
    refuseHiddenJoins(db, hiddenColumns(columns), () => isCounting)
    db.exec('COMMIT')
    const names = guarded.map(({ table }) => table)
    const { guard, undoing } = budgetAuthorizers({
      names,
      columns,
      keeps,
      triggers: namesOf(db, ALL_TRIGGERS),
    })
    db.setAuthorizer(guard)
    const uncounted = <T>(work: () => T): T => {
      db.setAuthorizer(undoing)
      isCounting = false
      try {
        return work()
      } finally {
        isCounting = true
        db.setAuthorizer(guard)
      }
    }
    return {
      changes: ({ actor = '', since = 0 } = {}) => uncounted(() => sqliteChanges(db, actor, since)),
      undo: (change, { conflicts = 'stop' } = {}) =>
        uncounted(() => undoSqlite(db, change, conflicts, Math.floor(clock.now()))),
    }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

type Changes = ReturnType<typeof changesOf>

/** @returns the ids of its limits by the name of a budget */
function writeLimits(db: DatabaseSync, limits: Changes['limits']): ReadonlyMap<string, readonly number[]> {
  const put = db.prepare(PUT_LIMIT)
  const forget = db.prepare(FORGET_OTHER_WINDOW)
  const ids = new Map<string, number[]>()
  for (const { budget, scope, rows, step, over } of limits) {
    forget.run(budget, scope, step)
    ids.set(budget, [...(ids.get(budget) ?? []), Number(put.get(budget, scope, rows, step, over)?.['id'])])
  }
  return ids
}

/** An action on a table, with the limits that its rows count against. */
interface GuardedAction {
  readonly table: string
  readonly action: RowAction
  readonly limits: readonly number[]
  /** Whether old rows are kept. */
  readonly undo: boolean
}

/** @throws ConfigError for a budget on a table that is not there */
function guardedActions(
  rules: Changes['rules'],
  ids: ReadonlyMap<string, readonly number[]>,
  tables: readonly string[],
): readonly GuardedAction[] {
  const guarded = new Map<string, GuardedAction>()
  for (const { budget, relation, action, undo } of rules) {
    const matching = relation === '' ? tables : tables.filter(table => table === relation)
    if (matching.length === 0)
      throw new ConfigError({
        place: `budgets["${budget}"]`,
        problem: `there is no table "${relation}"`,
        hint: 'create the table before the guard, or correct the name',
      })
    for (const table of matching) {
      const own = guarded.get(`${action} ${table}`)
      guarded.set(`${action} ${table}`, {
        table,
        action,
        limits: [...(own?.limits ?? []), ...(ids.get(budget) ?? [])],
        undo: own?.undo === true || undo,
      })
    }
  }
  return [...guarded.values()]
}

/** @returns the triggers that keep old rows */
function createTriggers(db: DatabaseSync, guarded: readonly GuardedAction[]): readonly KeepTrigger[] {
  const keeps: KeepTrigger[] = []
  for (const { table, action, limits, undo } of guarded) {
    db.exec(countTrigger(table, action, limits))
    if (undo && (action === 'delete' || action === 'update')) {
      const keep = keepTrigger(keptTable(db, table), action)
      db.exec(keep.sql)
      keeps.push(keep)
    }
  }
  return keeps
}

function keptTable(db: DatabaseSync, table: string): KeptTable {
  const columns = db
    .prepare(COLUMNS)
    .all(table)
    .map(row => ({ name: String(row['name']), pk: Number(row['pk']) }))
  const keys = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
  const named = columns.map(({ name }) => name)
  // A table without a primary key has rows that only their number tells apart.
  return keys.length > 0
    ? { table, columns: named, keys: keys.map(({ name }) => name) }
    : { table, columns: ['rowid', ...named], keys: ['rowid'] }
}

function namesOf(db: DatabaseSync, sql: string): readonly string[] {
  return db
    .prepare(sql)
    .all()
    .map(row => String(row['name']))
}

/**
 * An error of a guarded SQLite connection as what it means, also inside the error of a query builder: as
 * `budgetError`. Call it where the work was done: the actor of a refusal is notified.
 */
export function sqliteBudgetError(error: unknown): unknown {
  const meant = budgetError(error)
  if (meant instanceof RowBudgetExceeded && meant !== error) currentActing()?.refused?.(meant)
  return meant
}
