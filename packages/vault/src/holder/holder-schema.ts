import { IntegrityError } from '@postern/core'
import { type Migration, openSqlite, type SqliteDatabase } from '@postern/store'
import { HOLDER_MIGRATIONS } from './holder.sql.ts'

/** How the store names and applies the migrations of a holder. */
export const HOLDER_SCHEMA: { readonly name: string; readonly migrations: readonly Migration[] } = {
  name: 'holder',
  migrations: HOLDER_MIGRATIONS,
}

/** Everything in a schema but what SQLite and the store make by themselves. */
const OBJECTS = `SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') AS object
  FROM sqlite_schema
  WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND NOT (type = 'table' AND name = 'postern_migrations')
  ORDER BY object`

/** Module state: made of the migrations when a holder first opens a file, and never changed after. */
let expected: string | undefined

/**
 * Refuses a file in which anything is declared that the migrations did not declare. SQLite runs the triggers
 * that a file brings: one in a forged backup takes out what the holder writes, its budgets or the mark that
 * it was restored, while all that is wrapped stays in order.
 * @throws IntegrityError
 */
export function assertOwnSchema(database: SqliteDatabase, path: string): void {
  expected ??= expectedSchema()
  if (schemaOf(database) === expected) return
  throw new IntegrityError(
    `holder: ${path} declares a table, an index, a view or a trigger that no holder made; somebody has changed the file. ` +
      'Restore another backup, or set the holder up again and have the other two give it its parts (postern holder replace)',
  )
}

function expectedSchema(): string {
  const own = openSqlite({ path: ':memory:', migrations: [HOLDER_SCHEMA] })
  try {
    return schemaOf(own)
  } finally {
    own.close()
  }
}

function schemaOf(database: SqliteDatabase): string {
  return database.db
    .prepare(OBJECTS)
    .all()
    .map(row => String(row['object']))
    .join('\n')
}
