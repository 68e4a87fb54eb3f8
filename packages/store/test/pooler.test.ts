import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startPgbouncer } from '../../../test/pgbouncer-server.ts'
import { freshDatabase, services } from '../../../test/services.ts'
import { connectPostgres, migrate, type PostgresDatabase } from '../src/index.ts'

for (const mode of ['transaction', 'session'] as const) {
  describe(`PostgreSQL behind PgBouncer, a session for each ${mode}`, { timeout: 90_000 }, () => {
    const behind = async (t: Parameters<typeof freshDatabase>[0]): Promise<PostgresDatabase> => {
      await services()
      const pooler = await startPgbouncer(await freshDatabase(t), mode)
      const database = connectPostgres({ url: pooler.url, statementTimeout: '2s' })
      t.after(async () => {
        await database.close()
        await pooler.stop()
      })
      return database
    }

    test('migrates, and runs statements and transactions with a deadline', async t => {
      const database = await behind(t)
      await migrate(database, 'trial', [{ id: 1, name: 'one', postgres: 'CREATE TABLE one (n int)' }])
      await database.transaction(async client => {
        await client.query('INSERT INTO one VALUES ($1)', [1])
        const { rows } = await client.query<{ t: string }>("SELECT current_setting('statement_timeout') AS t")
        assert.equal(rows[0]?.t, '2s')
        await client.query('SELECT 1', [], '5s')
      })
      assert.equal((await database.query('SELECT n FROM one')).rowCount, 1)
      await assert.rejects(database.query('SELECT pg_sleep(20)'), /statement timeout/)
      assert.equal((await database.query('SELECT n FROM one')).rowCount, 1)
      // What a transaction set is gone with it: the next client of the session finds its own.
      const { rows } = await database.query<{ t: string }>("SELECT current_setting('statement_timeout') AS t")
      assert.equal(rows[0]?.t, '0')
      assert.equal(database.health().ok, true)
    })

    test('tells subscribers of what others notify within two seconds, by reading again where nothing is delivered', async t => {
      const database = await behind(t)
      const heard = Promise.withResolvers<string>()
      const stop = await database.listen('bans', heard.resolve, () => heard.resolve('read again'))
      t.after(stop)
      // The first word after LISTEN was tried: what comes now is either delivered or read.
      await database.notify('bans', 'x')
      assert.match(await heard.promise, /^(?:x|read again)$/)
      const again = Promise.withResolvers<string>()
      const stopAgain = await database.listen('more', again.resolve, () => again.resolve('read again'))
      t.after(stopAgain)
      await database.notify('more', 'y')
      assert.match(await again.promise, /^(?:y|read again)$/)
    })
  })
}
