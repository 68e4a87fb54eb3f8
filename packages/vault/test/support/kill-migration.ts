// One run of a migration that gets killed: `kill-migration.ts DATABASE KEYS`.
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
})
process.stdout.write(done ? 'done\n' : 'stopped\n')
