import { quote, TRIGGERS } from './sqlite-budgets.sql.ts'

/** What is used of a connection: that of `node:sqlite`, and that of better-sqlite3. */
export interface SqliteConnection {
  exec(sql: string): unknown
  prepare(sql: string): { all(): readonly unknown[] }
}

/** What stays when budgets are taken away. */
export interface RemoveSqliteOptions {
  /**
   * Whether counts and the journal stay, for a migration: the next `guardSqlite` goes on from them. Default
   * false: nothing of Postern stays in the file, and nothing can be undone.
   */
  readonly keepCounts?: boolean
}

const TABLES = ['postern_budget_limits', 'postern_budget_counts', 'postern_budget_journal']

/**
 * Takes the budgets of `guardSqlite` out of a file, in one transaction. Until then whoever opens the file
 * without a guard can read guarded tables, and change none of them: what the triggers ask for is not there.
 * Run it on a connection that is not guarded. With `keepCounts`, before migrations that change rows or
 * columns.
 */
export function removeSqliteBudgets(db: SqliteConnection, options: RemoveSqliteOptions = {}): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const row of db.prepare(TRIGGERS).all())
      if (typeof row === 'object' && row !== null && 'name' in row)
        db.exec(`DROP TRIGGER main.${quote(String(row.name))}`)
    if (options.keepCounts !== true) for (const table of TABLES) db.exec(`DROP TABLE IF EXISTS main.${table}`)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
