import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { connectPostgres, migrate, openSqlite, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import type { RewriteKind } from '../src/migrate/rewrite-rows.ts'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import type { RewriteClient } from '../src/migrate/write-rows.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT } from '../src/sql/table.sql.ts'
import type { ColumnState, TableSchema, ValueType } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'

const postgres: PostgresDatabase = connectPostgres({ url: await freshDatabase({ after }) })
const sqlite = openSqlite({ path: ':memory:' })
before(async () => {
  await migrate(postgres, 'vault', JOB_MIGRATIONS)
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
})
after(async () => {
  await postgres.close()
  sqlite.close()
})

const local = LocalKeys.generate()
const table = (state: ColumnState, type: ValueType, key: string): TableSchema => ({
  key: [key],
  columns: { value: { mode: 'local', state, storage: 'text', type } },
})

for (const [name, client, dialect, binary] of [
  ['PostgreSQL', postgres as RewriteClient, POSTGRES_DIALECT, 'BYTEA'],
  ['SQLite', sqliteClient(sqlite) as RewriteClient, SQLITE_DIALECT, 'BLOB'],
] as const)
  describe(`a migration in ${name}`, () => {
    const vault = (state: ColumnState, type: ValueType = 'text') =>
      new Vault({ tables: { item: table(state, type, 'id') }, local })
    const job = (kind: RewriteKind, type: ValueType = 'text', more: object = {}) =>
      rewriteTable({
        kind,
        table: 'item',
        vault: vault(kind === 'open' ? 'plaintext' : 'dual', type),
        client,
        dialect,
        batch: 4,
        ...more,
      })
    const fill = async (values: readonly string[], keyType = 'INTEGER', more = '') => {
      await client.query('DROP TABLE IF EXISTS item')
      await client.query(`CREATE TABLE item (id ${keyType} PRIMARY KEY, value TEXT ${more})`)
      for (const [id, value] of values.entries())
        await client.query('INSERT INTO item (id, value) VALUES ($1, $2)', [
          keyType === 'INTEGER' ? id : Buffer.from([9, id, 0xff]),
          value,
        ])
    }
    const stored = async () =>
      (await client.query<{ readonly value: string }>('SELECT value FROM item ORDER BY id')).rows.map(
        ({ value }) => value,
      )
    const opened = async (type: ValueType = 'text') => {
      const { rows } = await client.query<Readonly<Record<string, unknown>>>('SELECT * FROM item ORDER BY id')
      return (await vault('strict', type).openRows('item', rows)).map(({ value }) => value)
    }

    it('of a table whose trigger changes what is written ends before a single value is lost', async () => {
      const values = ['Anne', 'Bob', 'Carol', 'Dan', 'Eve', 'Fay']
      await fill(values)
      if (dialect === POSTGRES_DIALECT) {
        await client.query(
          'CREATE OR REPLACE FUNCTION lowered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value = lower(NEW.value); RETURN NEW; END $$',
        )
        await client.query(
          'CREATE TRIGGER lowered BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION lowered()',
        )
      } else
        await client.query(
          'CREATE TRIGGER lowered AFTER UPDATE ON item BEGIN UPDATE item SET value = lower(value) WHERE id = NEW.id; END',
        )
      await assert.rejects(job('seal'), { code: 'POSTERN_INTEGRITY', message: /item\.value.*trigger/s })
      assert.deepEqual(await stored(), values)
    })

    it('seals what somebody wrote to look like a record, instead of being held up by it', async () => {
      const planted = [
        'pv1.',
        'pv1.not base64',
        'pv1.AAAA',
        `pv1.${Buffer.alloc(80, 0xb7).toString('base64url')}`,
        'carol',
      ]
      await fill(planted)
      assert.equal((await job('seal')).rewritten, planted.length)
      assert.deepEqual(await opened(), planted)
      assert.equal((await job('open')).rewritten, 1)
      const plain = await stored()
      assert.equal(plain[4], 'carol')
      assert.ok(
        plain.slice(0, 4).every(value => value.length > 60),
        'what begins like a record stays sealed',
      )
    })

    it('finds what was written plain behind it, and says how many values those were', async () => {
      await fill(['Anne', 'Bob', 'Carol', 'Dan', 'Eve', 'Fay', 'Gil', 'Hal', 'Ida'])
      // An instance that nobody restarted inserts, moves and overwrites rows that the job has passed already.
      const writes = [
        "INSERT INTO item (id, value) VALUES (-1, 'Jan')",
        "UPDATE item SET id = -2 WHERE id = 8 AND value = 'Ida'",
        "UPDATE item SET value = 'Kai' WHERE id = 0",
      ]
      const write = async (): Promise<void> => {
        const text = writes.shift()
        if (text !== undefined) await client.query(text)
      }
      const { done, rows, rewritten, late } = await job('seal', 'text', { pause: 1, wait: write, batch: 3 })
      assert.deepEqual(await opened(), [
        'Ida',
        'Jan',
        'Kai',
        'Bob',
        'Carol',
        'Dan',
        'Eve',
        'Fay',
        'Gil',
        'Hal',
      ])
      assert.deepEqual({ done, rewritten, late }, { done: true, rewritten: 11, late: 3 })
      assert.equal(rows, 8)
    })

    it('that goes on after a stop finds what was written plain behind the place where it stood', async () => {
      await fill(['Anne', 'Bob', 'Carol', 'Dan', 'Eve'])
      const stopped = await job('seal', 'text', { signal: AbortSignal.abort() })
      assert.equal(stopped.done, false)
      await client.query("UPDATE item SET value = 'Mia' WHERE id = 0")
      await job('seal')
      assert.deepEqual(await opened(), ['Mia', 'Bob', 'Carol', 'Dan', 'Eve'])
    })

    it('does not end while somebody goes on writing plain values, but after a number of looks', async () => {
      await fill(['Anne', 'Bob'])
      let id = -1
      const write = async () => client.query('INSERT INTO item (id, value) VALUES ($1, $2)', [id--, 'Late'])
      const { done, late } = await job('seal', 'text', { pause: 1, wait: write })
      assert.equal(done, true)
      assert.ok((late ?? 0) > 0)
    })

    it('back to plain ends with a value that begins like a record and stays sealed', async () => {
      await fill(['pv1.notes', 'Bob'])
      await job('seal')
      const { done, late } = await job('open')
      assert.deepEqual({ done, late }, { done: true, late: 0 })
    })

    it('of rows with binary keys ends, and leaves none of them plain', async () => {
      const values = Array.from({ length: 11 }, (_, id) => `value ${id}`)
      await fill(values, binary)
      const stop = new AbortController()
      let batches = 0
      const onProgress = () => {
        if (++batches > 20) stop.abort()
      }
      const { done, rewritten } = await job('seal', 'text', { signal: stop.signal, onProgress })
      assert.deepEqual([done, rewritten], [true, values.length])
      assert.deepEqual(await opened(), values)
      assert.equal((await job('rewrap')).rewritten, 0)
    })

    it('goes on after a binary key where it was stopped', async () => {
      const values = Array.from({ length: 11 }, (_, id) => `value ${id}`)
      await fill(values, binary)
      const stop = new AbortController()
      const first = await job('seal', 'text', { signal: stop.signal, onProgress: () => stop.abort() })
      const second = await job('seal')
      assert.deepEqual([first.rewritten, second.rewritten], [4, 7])
      assert.deepEqual(await opened(), values)
    })

    it('of whole numbers beyond 2^53 verifies them as it does others', async () => {
      const values = ['9007199254740993', '-1', '0']
      await fill(values)
      assert.equal((await job('seal', 'bigint')).rewritten, 3)
      assert.deepEqual(await opened('bigint'), [9007199254740993n, -1n, 0n])
      await job('open', 'bigint')
      assert.deepEqual(await stored(), values)
    })

    for (const value of ['', ' ', '0x10', '9007199254740993', '1e999', 'Infinity', '1_000'])
      it(`does not write over "${value}" with another number`, async () => {
        await fill(['1.50', value])
        await assert.rejects(job('seal', 'number'), { code: 'POSTERN_INTEGRITY' })
        assert.deepEqual(await stored(), ['1.50', value])
      })

    it('back that the database refuses says nothing of the value', async () => {
      await fill(['anne@example.com'])
      await job('seal')
      await client.query('ALTER TABLE item RENAME TO kept')
      await client.query('CREATE TABLE item (id INTEGER PRIMARY KEY, value TEXT CHECK (length(value) > 20))')
      await client.query('INSERT INTO item SELECT * FROM kept')
      await client.query('DROP TABLE kept')
      await assert.rejects(job('open'), (error: Error) => !inspect(error, { depth: 9 }).includes('anne'))
      assert.deepEqual(await opened(), ['anne@example.com'])
    })
  })

describe('who chooses a value before there is a vault', () => {
  it('does not make a page unreadable: what begins like a record is sealed in state plaintext, too', async () => {
    const vault = new Vault({ tables: { item: table('plaintext', 'text', 'id') }, local })
    const sealed = await vault.sealRows('item', [
      { id: 1, value: 'pv1.AAAA' },
      { id: 2, value: 'bob' },
    ])
    assert.equal(sealed[1]?.['value'], 'bob')
    assert.deepEqual(
      (await vault.openRows('item', sealed)).map(({ value }) => value),
      ['pv1.AAAA', 'bob'],
    )
  })

  it('gets no number that comes back as nothing', async () => {
    const vault = new Vault({ tables: { item: table('strict', 'number', 'id') }, local })
    for (const value of [Number.POSITIVE_INFINITY, Number.NaN])
      await assert.rejects(vault.sealRows('item', [{ id: 1, value }]), { code: 'POSTERN_CONFIG' })
  })
})
