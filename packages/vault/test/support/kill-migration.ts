// One run of a migration that gets killed: `kill-migration.ts DATABASE KEYS`, where the database is a file of
// SQLite or a URL of PostgreSQL. Prints a line for each batch.
import { connectPostgres, openSqlite } from '@postern/store'
import { LocalKeys } from '../../src/local/local-keys.ts'
import { rewriteTable } from '../../src/migrate/rewrite-table.ts'
import { sqliteClient } from '../../src/sql/sqlite-client.ts'
import { POSTGRES_DIALECT, SQLITE_DIALECT } from '../../src/sql/table.sql.ts'
import { Vault } from '../../src/table/vault.ts'

const [database = '', keys = ''] = process.argv.slice(2)
const vault = new Vault({
  tables: { note: { key: ['id'], columns: { body: { mode: 'local', state: 'dual' } } } },
  local: LocalKeys.read(keys),
})
const postgres = database.startsWith('postgres') ? connectPostgres({ url: database }) : undefined
const { done } = await rewriteTable({
  kind: 'seal',
  table: 'note',
  vault,
  client: postgres ?? sqliteClient(openSqlite({ path: database })),
  dialect: postgres === undefined ? SQLITE_DIALECT : POSTGRES_DIALECT,
  batch: 5,
  // Long enough for whoever reads the lines to kill it before the next ones.
  pause: 1,
  onProgress: () => process.stdout.write('batch\n'),
})
process.exitCode = done ? 0 : 1
await postgres?.close()
