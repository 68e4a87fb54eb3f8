import { ConfigError, openedWhenAsked } from '@postern/core'
import { migrate, PostgresDatabase, type SqliteDatabase } from '@postern/store'
import { APPROVAL_MIGRATIONS } from './approval.sql.ts'

/** What approvals store: texts, whole numbers and nothing. */
export type Stored = string | number | null

/** One statement with `$1`, `$2`. */
export interface Statement {
  readonly text: string
  readonly values: readonly Stored[]
}

/** A row as the driver gives it. */
export type Row = Readonly<Record<string, unknown>>

/** Where approvals are kept. */
export interface ApprovalDatabase {
  /** Runs statements in one transaction and gives the rows of each. */
  run(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>
  /** As `run`, one after the other among all processes: what one counts, none has added to meanwhile. */
  runAlone(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>
}

/**
 * Held to the end of the transaction; readers do not wait for it. Not a number that is locked: that could be
 * held by every role that may connect.
 */
const ALONE: Statement = { text: 'LOCK TABLE approval IN SHARE ROW EXCLUSIVE MODE', values: [] }

/** Approvals on a database of `@postern/store`, migrated before the first statement. */
export function approvalDatabase(database: SqliteDatabase | PostgresDatabase): ApprovalDatabase {
  if (typeof database?.transaction !== 'function')
    throw new ConfigError({
      place: 'approvals.database',
      problem: 'must be a database of @postern/store',
      hint: "openSqlite({ path: 'approvals.db' })",
    })
  return database instanceof PostgresDatabase ? onPostgres(database) : onSqlite(database)
}

function onSqlite(database: SqliteDatabase): ApprovalDatabase {
  let isMigrated = false
  // Asynchronous so that a failure is a rejection here too. Every transaction is alone in SQLite.
  const run: ApprovalDatabase['run'] = async statements => {
    if (!isMigrated) migrate(database, 'approvals', APPROVAL_MIGRATIONS)
    isMigrated = true
    return database.transaction(() =>
      statements.map(({ text, values }) => {
        const ordered: Stored[] = []
        const sql = text.replace(/\$(\d+)/g, (_, number: string) => {
          ordered.push(values[Number(number) - 1] ?? null)
          return '?'
        })
        return database.db.prepare(sql).all(...ordered)
      }),
    )
  }
  return { run, runAlone: run }
}

function onPostgres(database: PostgresDatabase): ApprovalDatabase {
  const migrated = openedWhenAsked(() => migrate(database, 'approvals', APPROVAL_MIGRATIONS))
  const run: ApprovalDatabase['run'] = async statements => {
    await migrated.get()
    const [only] = statements
    if (statements.length === 1 && only !== undefined)
      return [(await database.query<Row>(only.text, only.values)).rows]
    return database.transaction(async client => {
      const results: (readonly Row[])[] = []
      for (const { text, values } of statements) results.push((await client.query<Row>(text, values)).rows)
      return results
    })
  }
  return { run, runAlone: async statements => (await run([ALONE, ...statements])).slice(1) }
}
