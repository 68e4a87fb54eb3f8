// One run of a migration that gets killed: `kill-migration.ts DATABASE KEYS`. Prints a line for each batch.
import { openSqlite } from '@postern/store'
import { LocalKeys } from '../../src/local/local-keys.ts'
import { rewriteTable } from '../../src/migrate/rewrite-table.ts'
import { sqliteClient } from '../../src/sql/sqlite-client.ts'
import { SQLITE_DIALECT } from '../../src/sql/table.sql.ts'
import { Vault } from '../../src/table/vault.ts'

const [database, keys] = process.argv.slice(2)
const vault = new Vault({
  tables: { note: { key: ['id'], columns: { body: { mode: 'local', state: 'dual' } } } },
  local: LocalKeys.read(keys ?? ''),
})
const client = sqliteClient(openSqlite({ path: database ?? '' }))
const { done } = await rewriteTable({
  kind: 'seal',
  table: 'note',
  vault,
  client,
  dialect: SQLITE_DIALECT,
  batch: 5,
  // Long enough for whoever reads the lines to kill it before the next ones.
  pause: 1,
  onProgress: () => process.stdout.write('batch\n'),
})
process.exitCode = done ? 0 : 1
