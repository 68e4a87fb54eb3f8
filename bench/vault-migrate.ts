// How fast existing rows are encrypted: rows a second and per second of the processor, beside a floor that
// writes the same bytes without keys.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openSqlite, type SqliteDatabase } from '@postern/store'
import { LocalKeys, SplitKeys, sqliteClient, Vault } from '@postern/vault'
import { JOB_MIGRATIONS, rewriteTable, SQLITE_DIALECT } from '@postern/vault/setup'
import { HolderProcesses } from '../packages/vault/test/support/holder-processes.ts'
import { isQuick, report } from './support/harness.ts'

const ROWS = isQuick ? 3_000 : 20_000
const BATCH = 100
const ALL = 1_000_000

interface Measured {
  /** Rows a second, by the clock. */
  readonly rows: number
  /** Rows per second of the processor, of this process. */
  readonly perCpu: number
}

const folder = mkdtempSync(join(tmpdir(), 'bench-migrate-'))
const email = (id: number): string => `customer${id}@example.com`
let files = 0

/** A file of plain rows; every commit is on the disk before it returns, as in an application. */
function plainRows(): SqliteDatabase {
  const database = openSqlite({ path: join(folder, `rows-${files++}.db`) })
  migrate(database, 'vault', JOB_MIGRATIONS)
  database.db.exec('CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)')
  const insert = database.db.prepare('INSERT INTO customers VALUES (?, ?)')
  database.transaction(() => {
    for (let id = 0; id < ROWS; id++) insert.run(id, email(id))
  })
  return database
}

async function measured(work: (database: SqliteDatabase) => unknown): Promise<Measured> {
  const database = plainRows()
  const [started, before] = [performance.now(), process.cpuUsage()]
  await work(database)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - started) / 1_000
  database.close()
  return { rows: Math.round(ROWS / seconds), perCpu: Math.round(ROWS / ((user + system) / 1_000_000)) }
}

const sealWith = (vault: Vault) => async (database: SqliteDatabase) => {
  const { rewritten } = await rewriteTable({
    kind: 'seal',
    table: 'customers',
    vault,
    client: sqliteClient(database),
    dialect: SQLITE_DIALECT,
    batch: BATCH,
  })
  if (rewritten !== ROWS) throw new Error(`${rewritten} of ${ROWS} rows were rewritten`)
}

/** Reads each batch, writes as many bytes as a sealed value has, in one commit, and reads them back. */
function floor(database: SqliteDatabase): void {
  const read = database.db.prepare('SELECT id, email FROM customers WHERE id > ? ORDER BY id LIMIT ?')
  const write = database.db.prepare('UPDATE customers SET email = ? WHERE id = ?')
  const value = `pv1.${Buffer.alloc(52 + 22).toString('base64url')}`
  for (let last = -1; last < ROWS - 1; last += BATCH) {
    const rows = read.all(last, BATCH)
    database.transaction(() => {
      for (const row of rows) write.run(value, Number(row['id']))
      read.all(last, BATCH)
    })
  }
}

const tables = (mode: 'local' | 'split') => ({
  customers: { key: ['id'], columns: { email: { mode, state: 'dual' as const, storage: 'text' as const } } },
})
const budgets = { person: ALL, service: ALL, served: ALL, table: ALL, all: ALL }
const holders = await HolderProcesses.start({ budgets })
try {
  const split = new SplitKeys({ links: await holders.links() })
  const [bare, local, three] = [
    await measured(floor),
    await measured(sealWith(new Vault({ tables: tables('local'), local: LocalKeys.generate() }))),
    await measured(sealWith(new Vault({ tables: tables('split'), split }))),
  ]
  split.close()
  report({
    bench: 'vault-migrate',
    ratios: {
      'local vs floor, CPU': local.perCpu / bare.perCpu,
      'three holders vs floor, CPU': three.perCpu / bare.perCpu,
    },
    figures: {
      'rows a second: local': local.rows,
      'rows a second: three holders': three.rows,
      'rows a second: floor': bare.rows,
      'rows per CPU second: local': local.perCpu,
      'rows per CPU second: three holders': three.perCpu,
      'rows per CPU second: floor': bare.perCpu,
    },
    unequal: [
      `${ROWS} rows of one text column in a SQLite file, ${BATCH} at a time; every commit waits for the disk. One row of each batch is opened through the keys before the batch is written.`,
      'the floor writes as many bytes, in one commit a batch, and reads them back; it makes no key and seals nothing.',
      'CPU is of the process that migrates, without that of the holders.',
    ],
  })
} finally {
  await holders.stop()
  rmSync(folder, { recursive: true })
}
