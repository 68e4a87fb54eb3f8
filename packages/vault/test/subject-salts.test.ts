import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connectPostgres, migrate } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { PostgresSubjectSalts, SqliteSubjectSalts, type SubjectSalts } from '../src/index.ts'
import { SUBJECT_MIGRATIONS } from '../src/table/subject-salts.sql.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-salts-'))
const sqlite = new SqliteSubjectSalts(join(folder, 'salts.db'))
const postgres = connectPostgres({ url: await freshDatabase({ after }) })
await migrate(postgres, 'vault-subjects', SUBJECT_MIGRATIONS)
after(async () => {
  sqlite.close()
  await postgres.close()
  rmSync(folder, { recursive: true, force: true })
})

const STORES: Readonly<Record<string, SubjectSalts>> = {
  SQLite: sqlite,
  PostgreSQL: new PostgresSubjectSalts(postgres),
}

for (const [name, salts] of Object.entries(STORES))
  describe(`salts of people in ${name}`, () => {
    test('are made once, however many ask at the same time', async () => {
      const asked = await Promise.all(Array.from({ length: 8 }, () => salts.ensure(['anne', 'anne', 'bob'])))
      const anne = asked.map(found => Buffer.from(found.get('anne') ?? []).toString('hex'))
      assert.equal(new Set(anne).size, 1)
      assert.equal(anne[0]?.length, 64)
      const stored = await salts.get(['anne', 'bob', 'nobody'])
      assert.deepEqual([...stored.keys()].sort(), ['anne', 'bob'])
      assert.notDeepEqual(stored.get('anne'), stored.get('bob'))
    })

    test('that were destroyed are not made again', async () => {
      await salts.ensure(['carol', 'dave'])
      assert.equal(await salts.destroy('carol'), true)
      assert.equal(await salts.destroy('carol'), false)
      assert.equal(await salts.destroy('nobody'), false)
      assert.equal((await salts.ensure(['carol', 'dave'])).get('carol'), undefined)
      assert.deepEqual([...(await salts.get(['carol', 'dave'])).keys()], ['dave'])
    })
  })
