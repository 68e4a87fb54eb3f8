import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectPostgres, migrate, openSqlite, type SqlClient } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { measureExposure } from '../src/exposure/exposure.ts'
import { holderShare } from '../src/holder/budgets.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { sealRecord } from '../src/record/seal-record.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS } from '../src/sql/table.sql.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { Vault } from '../src/table/vault.ts'
import { HolderProcesses } from './support/holder-processes.ts'

/** Kills of each kind. POSTERN_TEST_LONG=1 runs the long form. */
const RUNS = process.env['POSTERN_TEST_LONG'] === '1' ? 200 : 6

/** Batches of five rows that a migration gets done before it is killed, at most. */
const MOST_BATCHES = 6

const folder = mkdtempSync(join(tmpdir(), 'vault-kill-'))
after(() => rmSync(folder, { recursive: true }))

function program(name: string, ...args: readonly string[]): ChildProcess {
  const file = fileURLToPath(new URL(`support/${name}.ts`, import.meta.url))
  return spawn(process.execPath, [...SOURCE_FLAGS, file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, milliseconds))

/** Plain notes to migrate, and how a program finds them. */
interface Notes {
  readonly place: string
  readonly client: SqlClient
  readonly close: () => Promise<void> | void
}

function notesInSqlite(count: number): Notes {
  const place = join(folder, 'notes.db')
  const database = openSqlite({ path: place })
  migrate(database, 'vault', JOB_MIGRATIONS)
  database.db.exec('CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)')
  const insert = database.db.prepare('INSERT INTO note VALUES (?, ?)')
  database.transaction(() => {
    for (let id = 0; id < count; id++) insert.run(id, Buffer.from(`note ${id}`))
  })
  return { place, client: sqliteClient(database), close: () => database.close() }
}

async function notesInPostgres(count: number): Promise<Notes> {
  const place = await freshDatabase({ after })
  const database = connectPostgres({ url: place })
  await migrate(database, 'vault', JOB_MIGRATIONS)
  await database.query('CREATE TABLE note (id INTEGER PRIMARY KEY, body BYTEA)')
  await database.query(
    "INSERT INTO note SELECT id, convert_to('note ' || id, 'UTF8') FROM generate_series(0, $1::int - 1) AS id",
    [count],
  )
  return { place, client: database, close: () => database.close() }
}

/** Kills a migration after some of its batches. @returns the signal that ended it */
async function killedAtRandom(child: ChildProcess): Promise<NodeJS.Signals | null> {
  const ended = new Promise<NodeJS.Signals | null>(resolve =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  const batches = Math.floor(Math.random() * MOST_BATCHES)
  let seen = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('batch').length - 1
    if (seen > batches) setTimeout(() => child.kill('SIGKILL'), Math.random() * 8)
  })
  return ended
}

describe('kill -9', () => {
  for (const name of ['SQLite', 'PostgreSQL'] as const)
    it(`of a migration on ${name} at ${RUNS} random points loses nothing, and the last run finishes`, async () => {
      const keyFile = join(folder, `keys-${name}`)
      const keys = LocalKeys.create(keyFile)
      // Three times what the runs get done before they are killed, at most: most are killed under way.
      const count = RUNS * MOST_BATCHES * 15
      const { place, client, close } = await (name === 'SQLite' ? notesInSqlite : notesInPostgres)(count)
      try {
        let killed = 0
        for (let run = 0; run < RUNS; run++)
          if ((await killedAtRandom(program('kill-migration', place, keyFile))) === 'SIGKILL') killed++
        assert.ok(killed > RUNS / 2, `${killed} of ${RUNS} runs were killed before they were done`)
        const last = program('kill-migration', place, keyFile)
        assert.equal(await new Promise(resolve => last.once('exit', resolve)), 0)
        const vault = new Vault({
          tables: { note: { key: ['id'], columns: { body: { mode: 'local' } } } },
          local: keys,
        })
        const rows = await new VaultSql(client, vault).query<{ id: number; body: string }>(
          'note',
          'SELECT * FROM note ORDER BY id',
        )
        assert.equal(rows.length, count)
        for (const [id, { body }] of rows.entries()) assert.equal(body, `note ${id}`)
        // What is left of the job would make the next one skip rows.
        assert.deepEqual((await client.query('SELECT name FROM vault_job')).rows, [])
      } finally {
        await close()
      }
    })

  it(`of holders and of the application, ${RUNS} times, opens no record more than the budget and loses none`, async () => {
    const budget = 40
    const holders = await HolderProcesses.start({ budgets: { service: budget } })
    try {
      const sealing = new SplitKeys({ links: await holders.links() })
      const contexts = Array.from({ length: 100 }, (_, row) => ({
        tenant: '',
        table: 't',
        column: 'c',
        row: [`${row}`],
        version: 0,
      }))
      const made = await sealing.seal(contexts)
      sealing.close()
      const records = contexts.map((context, index) => {
        const { recordKey, salt, epoch } = made[index] as (typeof made)[number]
        const record = sealRecord({
          recordKey,
          salt,
          epoch,
          mode: 'split',
          context: encodeContext(context),
          plaintext: Buffer.from(`${index}`),
        })
        return { context, record }
      })
      const file = join(folder, 'reader.json')
      writeFileSync(
        file,
        JSON.stringify({
          app: holders.app,
          addresses: { 1: holders.address(1), 2: holders.address(2), 3: holders.address(3) },
          records: records.map(({ context, record }) => ({ context, record: record.toString('base64url') })),
        }),
      )
      const opened = new Set<string>()
      let wrong = 0
      let reader = program('kill-reader', file)
      const listen = (child: ChildProcess): void => {
        child.stdout?.on('data', (chunk: Buffer) => {
          for (const line of chunk.toString().trim().split('\n')) {
            if (line.startsWith('opened ')) opened.add(line)
            else wrong++
          }
        })
      }
      listen(reader)
      for (let run = 0; run < RUNS; run++) {
        await pause(50 + Math.random() * 200)
        if (run % 4 === 3) {
          const ended = new Promise(resolve => reader.once('exit', resolve))
          reader.kill('SIGKILL')
          await ended
          reader = program('kill-reader', file)
          listen(reader)
        } else {
          const victim = ([1, 2, 3] as const)[run % 3] ?? 1
          await holders.kill(victim)
          await holders.spawn(victim)
        }
      }
      await pause(1_500)
      reader.kill('SIGKILL')
      assert.equal(wrong, 0)
      assert.ok(opened.size > 0, 'nothing was opened')
      assert.ok(opened.size <= (3 * holderShare(budget)) / 2, `${opened.size} records were opened`)
      const loot = join(folder, 'two-holders')
      mkdirSync(loot)
      for (const id of [1, 2] as const) {
        await holders.kill(id)
        for (const suffix of ['', '-wal', '-shm'])
          if (existsSync(holders.data(id) + suffix))
            copyFileSync(holders.data(id) + suffix, join(loot, `${id}.db${suffix}`))
        copyFileSync(join(holders.folder, `key-${id}`), join(loot, `key-${id}`))
      }
      const all = await measureExposure({
        values: records.map(({ context, record }) => ({ context, value: record })),
        folders: [loot],
        environment: {},
      })
      assert.equal(all.opened, records.length, 'a record was lost')
    } finally {
      await holders.stop()
      rmSync(holders.folder, { recursive: true })
    }
  })
})
