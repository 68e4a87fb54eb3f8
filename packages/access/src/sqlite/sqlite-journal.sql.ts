import { quote } from './sqlite-budgets.sql.ts'

/** Old rows, one entry for each row that a budget with undo saw deleted or edited. */
export const SQLITE_JOURNAL = `
CREATE TABLE IF NOT EXISTS main.postern_budget_journal (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  change   TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  actor    TEXT    NOT NULL,
  tenant   TEXT    NOT NULL,
  relation TEXT    NOT NULL,
  action   TEXT    NOT NULL,
  -- Names of columns, and values as SQL writes them: the key of the row as it was left, the row as it was, and as an edit left it.
  columns  TEXT    NOT NULL,
  keys     TEXT    NOT NULL,
  key      TEXT    NOT NULL,
  old      TEXT    NOT NULL,
  became   TEXT,
  undone   INTEGER
);
CREATE INDEX IF NOT EXISTS main.postern_budget_journal_change ON postern_budget_journal (change);
`

export const JOURNAL_COLUMNS: readonly string[] =
  'id change at actor tenant relation action columns keys key old became undone'.split(' ')

export const FORGET_JOURNAL = 'DELETE FROM main.postern_budget_journal WHERE at < ?'

export const CHANGES = `
  SELECT change, min(at) AS at, min(actor) AS actor, min(tenant) AS tenant, relation, action, count(*) AS rows, count(undone) AS undone
  FROM main.postern_budget_journal WHERE (?1 = '' OR actor = ?1) AND at >= ?2 GROUP BY change, relation, action ORDER BY max(id) DESC LIMIT 1000`

export const ENTRIES = `
  SELECT id, relation, action, columns, keys, key, old, became FROM main.postern_budget_journal WHERE change = ? AND undone IS NULL ORDER BY id DESC`

export const MARK_UNDONE = 'UPDATE main.postern_budget_journal SET undone = ? WHERE id = ?'

/** Columns that are stored, with their place in the primary key, 0 where they are not in it. */
export const COLUMNS = "SELECT name, pk FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0 ORDER BY cid"

/** What a journal needs to know of a table. */
export interface KeptTable {
  readonly table: string
  readonly columns: readonly string[]
  /** Those of the primary key; `rowid` where there is none. */
  readonly keys: readonly string[]
}

/** A trigger of ours that reads whole rows, hidden columns too. */
export interface KeepTrigger {
  readonly name: string
  readonly sql: string
  readonly kept: KeptTable
  /** How often the trigger reads each column, and each column of the key once more. */
  readonly reads: { readonly column: number; readonly key: number }
}

/** The trigger that keeps the old row in the transaction that deletes or edits it. */
export function keepTrigger(kept: KeptTable, action: 'delete' | 'update'): KeepTrigger {
  const { table, columns, keys } = kept
  const left = action === 'delete' ? 'OLD' : 'NEW'
  const name = `postern_budget_keep_${action}_${table}`
  const sql = `
CREATE TRIGGER main.${quote(name)} AFTER ${action.toUpperCase()} ON ${quote(table)}
WHEN postern_counting() = 1
BEGIN
  INSERT INTO postern_budget_journal (change, at, actor, tenant, relation, action, columns, keys, key, old, became)
  VALUES (postern_change(), postern_now(), coalesce(postern_actor(), ''), postern_tenant(), ${text(table)}, '${action}', ${text(names(columns))}, ${text(names(keys))},
    ${values(left, keys)}, ${values('OLD', columns)}, ${action === 'delete' ? 'NULL' : values('NEW', columns)});
END`
  const column = action === 'delete' ? READS_OF_VALUE : 2 * READS_OF_VALUE
  return { name, sql, kept, reads: { column, key: READS_OF_VALUE } }
}

/** The values of a row as they are now, written as the journal writes them. */
export const currentRow = (table: string, columns: string, keys: string, key: string): string =>
  `SELECT ${columns
    .split(NEXT)
    .map(name => literalOf(name))
    .join(` || ',' || `)} AS now FROM main.${quote(table)} WHERE (${keys}) IS (${key})`

export const insertRow = (table: string, columns: string, old: string): string =>
  `INSERT INTO main.${quote(table)} (${columns}) VALUES (${old})`

export const updateRow = (table: string, columns: string, old: string, keys: string, key: string): string =>
  `UPDATE main.${quote(table)} SET (${columns}) = (${old}) WHERE (${keys}) IS (${key})`

/** Between names of columns: no quoted name ends and begins so within itself. */
const NEXT = ', '

const names = (columns: readonly string[]): string => columns.map(quote).join(NEXT)

const values = (row: 'OLD' | 'NEW', columns: readonly string[]): string =>
  columns.map(name => literalOf(`${row}.${quote(name)}`)).join(` || ',' || `)

/** A value as SQL writes it, exactly: `quote` alone would end a text at its first NUL. */
const literalOf = (value: string): string =>
  `CASE typeof(${value}) WHEN 'text' THEN 'CAST(x''' || hex(${value}) || ''' AS TEXT)' ELSE quote(${value}) END`

/** How often `literalOf` names its value. */
const READS_OF_VALUE = 3

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
