import { constants, type DatabaseSync } from 'node:sqlite'
import type { HiddenColumns } from './shared-names.ts'
import { JOURNAL_COLUMNS, type KeepTrigger } from './sqlite-journal.sql.ts'

/** What SQL on a guarded connection may not do with columns of one table. */
export interface ColumnRights {
  /** Not read, by any statement, view or trigger. */
  readonly hidden?: readonly string[]
  /** Not edited. Rows can be inserted with them, and deleted. */
  readonly fixed?: readonly string[]
}

type Authorizer = NonNullable<Parameters<DatabaseSync['setAuthorizer']>[0]>

const OURS = /^postern_/i
/** Old rows are more than an actor may read. */
const JOURNAL = 'postern_budget_journal'
/** What SQLite calls the number of a row, however the statement spells it, when an UPDATE sets that. */
const ROW_NUMBER = 'ROWID'
const LOCKED_PRAGMAS: ReadonlySet<string> = new Set([
  'recursive_triggers',
  'writable_schema',
  'trusted_schema',
])
const { SQLITE_OK, SQLITE_DENY } = constants
const WRITES: ReadonlySet<number> = new Set([
  constants.SQLITE_INSERT,
  constants.SQLITE_UPDATE,
  constants.SQLITE_DELETE,
])
/** What a guarded connection has. */
interface Guarded {
  /** Names of the tables with budgets. */
  readonly names: readonly string[]
  readonly columns: Readonly<Record<string, ColumnRights>>
  readonly keeps: readonly KeepTrigger[]
  /** Names of all triggers there are. */
  readonly triggers: readonly string[]
}

interface Authorizers {
  /** For SQL of the application. */
  readonly guard: Authorizer
  /** While rows are put back: our own statements pass, and triggers of the application that they set off. */
  readonly undoing: Authorizer
}

/**
 * Denies, as a statement is prepared, what would touch the count rather than the rows, and columns that
 * nobody may read or edit.
 *
 * SQLite says which trigger an access is made in, but it says the same of a common table expression of that
 * name (`WITH postern_x AS (SELECT secret ...)`). Only a trigger can write, so an access in our own trigger
 * is known by its write to the journal: the reads of hidden columns that belong to it follow at once, and
 * their number is known.
 * @see https://www.sqlite.org/c3ref/set_authorizer.html
 */
export function budgetAuthorizers({ names, columns, keeps, triggers }: Guarded): Authorizers {
  const hidden = namesOf(columns, 'hidden')
  const fixed = namesOf(columns, 'fixed')
  // An INTEGER PRIMARY KEY is the number of its row, and can be set by that name too.
  const numbered = tablesOf(columns, 'fixed')
  const held = new Set([...names, ...Object.keys(columns)].map(name => name.toLowerCase()))
  const owed = new Map(keeps.map(keep => [keep.name, hiddenReads(keep, hidden)]))
  let trigger = ''
  let left = 0
  const mayRead = (table: string | null, column: string | null, source: string | null): boolean => {
    if (isCalled(table, JOURNAL)) return false
    if (!hidden.has(`${table}.${column}`.toLowerCase())) return true
    return source === trigger && left-- > 0
  }
  const isFixed = (table: string | null, column: string | null): boolean =>
    fixed.has(`${table}.${column}`.toLowerCase()) || (column === ROW_NUMBER && isHeld(numbered, table))
  const known = new Set(triggers.map(name => name.toLowerCase()))
  const guard: Authorizer = (action, first, second, _database, source) => {
    if (source !== trigger) left = 0
    if (action === constants.SQLITE_INSERT && first === JOURNAL && source !== null && isOurs(source)) {
      trigger = source
      left = owed.get(source) ?? 0
      return SQLITE_OK
    }
    if (action === constants.SQLITE_READ) return mayRead(first, second, source) ? SQLITE_OK : SQLITE_DENY
    if (action === constants.SQLITE_UPDATE && isFixed(first, second)) return SQLITE_DENY
    return touchesCounts(held, action, first, second, source) ? SQLITE_DENY : SQLITE_OK
  }
  return {
    guard,
    undoing: (action, first, second, database, source) => {
      // Our own statements, and what foreign keys do.
      if (source === null) {
        left = 0
        return SQLITE_OK
      }
      // Rows that are changed now are not counted. A trigger that somebody made meanwhile may change none of
      // any table: triggers of the application and foreign keys would go on from there.
      if (WRITES.has(action) && !isHeld(known, source)) return SQLITE_DENY
      return guard(action, first, second, database, source)
    },
  }
}

/** Columns that no statement reads, those of the journal among them. */
export function hiddenColumns(columns: Readonly<Record<string, ColumnRights>>): HiddenColumns {
  const hidden = Object.entries(columns).map(
    ([table, rights]) =>
      [table.toLowerCase(), new Set((rights.hidden ?? []).map(name => name.toLowerCase()))] as const,
  )
  return new Map([...hidden, [JOURNAL, new Set(JOURNAL_COLUMNS)] as const])
}

function touchesCounts(
  held: ReadonlySet<string>,
  action: number,
  first: string | null,
  second: string | null,
  source: string | null,
): boolean {
  switch (action) {
    case constants.SQLITE_INSERT:
    case constants.SQLITE_UPDATE:
    case constants.SQLITE_DELETE:
      return isKept(first) && !isOurs(source)
    // A trigger outlives who made it: it changes rows whenever others change any, under their budgets, and
    // uncounted as rows are put back. One that says RAISE(IGNORE) skips those that follow it, ours too.
    case constants.SQLITE_CREATE_TRIGGER:
    case constants.SQLITE_CREATE_TEMP_TRIGGER:
      return true
    // A unique index on the counts makes OR IGNORE of a statement skip the counting.
    case constants.SQLITE_CREATE_INDEX:
    case constants.SQLITE_CREATE_TEMP_INDEX:
    case constants.SQLITE_DROP_INDEX:
    case constants.SQLITE_DROP_TEMP_INDEX:
    case constants.SQLITE_DROP_TRIGGER:
    case constants.SQLITE_DROP_TEMP_TRIGGER:
    case constants.SQLITE_CREATE_VIEW:
      return isOurs(first) || isOurs(second)
    // What is temporary hides a table of the same name, also from undo.
    case constants.SQLITE_CREATE_TEMP_VIEW:
    case constants.SQLITE_CREATE_TEMP_TABLE:
    case constants.SQLITE_CREATE_VTABLE:
    case constants.SQLITE_DROP_VTABLE:
    case constants.SQLITE_DROP_TABLE:
      return isOurs(first) || isHeld(held, first)
    case constants.SQLITE_ALTER_TABLE:
      // The new name is not said, and a temporary table could get that of a guarded one, or of a count.
      return isCalled(first, 'temp') || isOurs(second) || isHeld(held, second)
    case constants.SQLITE_PRAGMA:
      return first !== null && second !== null && isLocked(first.toLowerCase(), second.toLowerCase())
    default:
      return false
  }
}

function hiddenReads({ kept, reads }: KeepTrigger, hidden: ReadonlySet<string>): number {
  const count = (names: readonly string[]): number =>
    names.filter(name => hidden.has(`${kept.table}.${name}`.toLowerCase())).length
  return count(kept.columns) * reads.column + count(kept.keys) * reads.key
}

/** Tables with such columns, in lower case. */
function tablesOf(
  columns: Readonly<Record<string, ColumnRights>>,
  right: keyof ColumnRights,
): ReadonlySet<string> {
  const tables = Object.entries(columns).filter(([, rights]) => (rights[right] ?? []).length > 0)
  return new Set(tables.map(([table]) => table.toLowerCase()))
}

/** Columns as SQLite compares their names: in lower case, `table.column`. */
function namesOf(
  columns: Readonly<Record<string, ColumnRights>>,
  right: keyof ColumnRights,
): ReadonlySet<string> {
  return new Set(
    Object.entries(columns).flatMap(([table, rights]) =>
      (rights[right] ?? []).map(column => `${table}.${column}`.toLowerCase()),
    ),
  )
}

/** Without a rollback journal SQLite promises no rollback. A part of the word `off` is enough. */
function isLocked(pragma: string, value: string): boolean {
  return LOCKED_PRAGMAS.has(pragma) || (pragma === 'journal_mode' && value.startsWith('o'))
}

/** Ours, and the numbers that entries of the journal are given: without any left, nothing could be kept. */
function isKept(name: string | null): boolean {
  return isOurs(name) || isCalled(name, 'sqlite_sequence')
}

function isOurs(name: string | null): boolean {
  return name !== null && OURS.test(name)
}

function isHeld(held: ReadonlySet<string>, name: string | null): boolean {
  return name !== null && held.has(name.toLowerCase())
}

function isCalled(name: string | null, wanted: string): boolean {
  return name?.toLowerCase() === wanted
}
