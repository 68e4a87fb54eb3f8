import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { freshDatabase } from '../../../test/services.ts'
import { postgresRecords } from '../src/records/postgres-records.ts'
import type { RecordCodec } from '../src/records/record-store.ts'

const codec: RecordCodec<number> = {
  read: text => Number(text ?? 0),
  write: String,
  lifetime: () => 15 * 60_000,
}

test('a machine whose clock is an hour ahead starts no count of failed logins again', async t => {
  const database = connectPostgres({ url: await freshDatabase(t) })
  t.after(() => database.close())
  const ahead = { ...systemClock, now: () => systemClock.now() + 3_600_000 }
  const right = await postgresRecords(database, 'login', codec, systemClock)
  const wrong = await postgresRecords(database, 'login', codec, ahead)
  const count = (store: typeof right, key: string): number | Promise<number> =>
    store.update(key, before => ({ record: before + 1, result: before + 1 }))
  assert.equal(await count(right, 'alice'), 1)
  assert.equal(await count(wrong, 'mallory'), 1)
  assert.equal(await count(wrong, 'alice'), 2)
  assert.equal(await count(right, 'alice'), 3)
})

test('records are counted with PostgreSQL’s own operators, whatever others stand in the schema public', async t => {
  const database = connectPostgres({ url: await freshDatabase(t) })
  t.after(() => database.close())
  await database.query(HOSTILE_OPERATORS)
  const records = await postgresRecords(database, 'login', codec, systemClock)
  const count = (): number | Promise<number> =>
    records.update('alice', before => ({ record: before + 1, result: before + 1 }))
  assert.deepEqual([await count(), await count()], [1, 2])
})
