// How fast existing rows are encrypted in SQLite and PostgreSQL: rows a second and per second of the
// processor, beside a floor that writes the same bytes without keys.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  connectPostgres,
  migrate,
  openSqlite,
  type PostgresDatabase,
  type SqliteDatabase,
} from '@postern/store'
import { LocalKeys, SplitKeys, sqliteClient, Vault } from '@postern/vault'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, rewriteTable, SQLITE_DIALECT } from '@postern/vault/setup'
import { HolderProcesses } from '../packages/vault/test/support/holder-processes.ts'
import { hasPostgres, startPostgres } from '../test/postgres-server.ts'
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

async function measured<Database extends { close(): unknown }>(
  make: () => Database | Promise<Database>,
  work: (database: Database) => unknown,
): Promise<Measured> {
  const database = await make()
  const [started, before] = [performance.now(), process.cpuUsage()]
  await work(database)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - started) / 1_000
  await database.close()
  return { rows: Math.round(ROWS / seconds), perCpu: Math.round(ROWS / ((user + system) / 1_000_000)) }
}

async function seal(
  vault: Vault,
  place: Pick<Parameters<typeof rewriteTable>[0], 'client' | 'dialect'>,
): Promise<void> {
  const { rewritten } = await rewriteTable({
    kind: 'seal',
    table: 'customers',
    vault,
    batch: BATCH,
    ...place,
  })
  if (rewritten !== ROWS) throw new Error(`${rewritten} of ${ROWS} rows were rewritten`)
}

const SEALED_LIKE = `pv1.${Buffer.alloc(52 + 22).toString('base64url')}`

/** Reads each batch, writes as many bytes as a sealed value has, in one commit, and reads them back. */
function floor(database: SqliteDatabase): void {
  const read = database.db.prepare('SELECT id, email FROM customers WHERE id > ? ORDER BY id LIMIT ?')
  const write = database.db.prepare('UPDATE customers SET email = ? WHERE id = ?')
  for (let last = -1; last < ROWS - 1; last += BATCH) {
    const rows = read.all(last, BATCH)
    database.transaction(() => {
      for (const row of rows) write.run(SEALED_LIKE, Number(row['id']))
      read.all(last, BATCH)
    })
  }
}

/** The same in PostgreSQL: three statements and a commit a batch. */
async function postgresFloor(database: PostgresDatabase): Promise<void> {
  const read = 'SELECT id, email FROM customers WHERE id > $1 ORDER BY id LIMIT $2'
  for (let last = -1; last < ROWS - 1; last += BATCH) {
    const { rows } = await database.query<{ readonly id: number }>(read, [last, BATCH])
    await database.transaction(async client => {
      await client.query(
        `UPDATE customers SET email = v.c1 FROM unnest($1::int[], $2::text[]) AS v(c0, c1) WHERE id = v.c0`,
        [rows.map(({ id }) => id), rows.map(() => SEALED_LIKE)],
      )
      await client.query(read, [last, BATCH])
    })
  }
}

/** A table of plain rows in PostgreSQL, in place of the last one. */
async function plainTable(url: string): Promise<PostgresDatabase> {
  const database = connectPostgres({ url })
  await migrate(database, 'vault', JOB_MIGRATIONS)
  await database.query('DROP TABLE IF EXISTS customers')
  await database.query('CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)')
  await database.query(
    "INSERT INTO customers SELECT id, 'customer' || id || '@example.com' FROM generate_series(0, $1::int - 1) AS id",
    [ROWS],
  )
  return database
}

const tables = (mode: 'local' | 'split') => ({
  customers: { key: ['id'], columns: { email: { mode, state: 'dual' as const, storage: 'text' as const } } },
})
const budgets = { person: ALL, service: ALL, served: ALL, table: ALL, all: ALL }
const localVault = (): Vault => new Vault({ tables: tables('local'), local: LocalKeys.generate() })

const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}
function add(place: string, of: Readonly<Record<'floor' | 'local' | 'three holders', Measured>>): void {
  for (const [name, { rows, perCpu }] of Object.entries(of)) {
    figures[`${place}, rows a second: ${name}`] = rows
    figures[`${place}, rows per CPU second: ${name}`] = perCpu
    if (name === 'floor') continue
    ratios[`${place}: ${name} vs floor, CPU`] = perCpu / of.floor.perCpu
    ratios[`${place}: ${name} vs floor`] = rows / of.floor.rows
  }
}

const holders = await HolderProcesses.start({ budgets })
const server = hasPostgres() ? await startPostgres() : undefined
try {
  const split = new SplitKeys({ links: await holders.links() })
  const splitVault = new Vault({ tables: tables('split'), split })
  const inSqlite = (vault: Vault) => (database: SqliteDatabase) =>
    seal(vault, { client: sqliteClient(database), dialect: SQLITE_DIALECT })
  add('SQLite', {
    floor: await measured(plainRows, floor),
    local: await measured(plainRows, inSqlite(localVault())),
    'three holders': await measured(plainRows, inSqlite(splitVault)),
  })
  if (server === undefined) console.log('PostgreSQL is not installed: left out')
  else {
    const table = () => plainTable(server.url)
    const inPostgres = (vault: Vault) => (database: PostgresDatabase) =>
      seal(vault, { client: database, dialect: POSTGRES_DIALECT })
    add('PostgreSQL', {
      floor: await measured(table, postgresFloor),
      local: await measured(table, inPostgres(localVault())),
      'three holders': await measured(table, inPostgres(splitVault)),
    })
  }
  split.close()
  report({
    bench: 'vault-migrate',
    ratios,
    figures,
    unequal: [
      `${ROWS} rows of one text column, ${BATCH} at a time; every commit waits for the disk. One row of each batch is opened through the keys before the batch is written, and where the job stands is written after it, in a commit of its own.`,
      'the floor writes as many bytes, in one commit a batch, and reads them back; it makes no key, seals nothing and keeps no position.',
      'CPU is of the process that migrates, without that of the holders and of PostgreSQL, which runs on the same machine.',
    ],
  })
} finally {
  await server?.stop()
  await holders.stop()
  rmSync(folder, { recursive: true })
}
