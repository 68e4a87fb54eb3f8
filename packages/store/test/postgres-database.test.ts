import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, StoreError } from '@postern/core'
import { freshDatabase, services, startPostgres } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { connectPostgres, PostgresError } from '../src/index.ts'

const isRetryable = (error: unknown): boolean => error instanceof StoreError && error.retryable
const isFinal = (error: unknown): boolean => error instanceof StoreError && !error.retryable

/** A PostgreSQL that takes connections and never says a word. */
async function silentServer(): Promise<{ readonly url: string; stop(): void }> {
  const sockets: Socket[] = []
  const server = createServer(socket => sockets.push(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `postgres://u:secret-word@127.0.0.1:${port}/d`,
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('a PostgreSQL database', () => {
  test('answers rows and how many there were, with values as parameters', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    await database.query('CREATE TABLE t (x INT PRIMARY KEY, y TEXT)')
    const hostile = `'); DROP TABLE t; --`
    assert.equal((await database.query('INSERT INTO t VALUES ($1, $2), (2, NULL)', [1, hostile])).rowCount, 2)
    assert.deepEqual(await database.query<{ y: string }>('SELECT y FROM t WHERE x = $1', [1]), {
      rows: [{ y: hostile }],
      rowCount: 1,
    })
  })

  test('commits a transaction whose work resolves and undoes one whose work rejects', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 1 })
    t.after(() => database.close())
    await database.query('CREATE TABLE t (x INT)')
    await database.transaction(client => client.query('INSERT INTO t VALUES (1)'))
    await assert.rejects(
      database.transaction(async client => {
        await client.query('INSERT INTO t VALUES (2)')
        throw new Error('changed my mind')
      }),
      /changed my mind/,
    )
    assert.deepEqual((await database.query('SELECT x FROM t')).rows, [{ x: 1 }])
  })

  test('takes no statement of a transaction that is over', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    const escaped = await database.transaction(async client => client)
    await assert.rejects(escaped.query('SELECT 1'), /the transaction is over/)
  })

  test('names the constraint that does not hold, and repeats no value of the row', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    await database.query('CREATE TABLE person (email TEXT CONSTRAINT one_each UNIQUE, age INT)')
    await database.query(`INSERT INTO person VALUES ('ada@example.org', 36)`)
    for (const statement of [
      `INSERT INTO person VALUES ('ada@example.org', 1)`,
      `INSERT INTO person SELECT 'b', 'ada@example.org'::text::int`,
    ]) {
      const error: unknown = await database.query(statement).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof PostgresError && !error.retryable)
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /ada@example/)
    }
    await assert.rejects(
      database.query(`INSERT INTO person VALUES ('ada@example.org', 1)`),
      (error: unknown) =>
        error instanceof PostgresError && error.constraint === 'one_each' && error.state === '23505',
    )
    assert.equal(database.health().ok, true, 'a refused row is not an illness')
  })

  test('keeps its connection after an ordinary failure', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 1 })
    t.after(() => database.close())
    const pid = async (): Promise<unknown> => (await database.query('SELECT pg_backend_pid() AS pid')).rows[0]
    const before = await pid()
    await assert.rejects(database.query('SELEC'), isFinal)
    await assert.rejects(
      database.transaction(client => client.query('SELECT 1/0')),
      isFinal,
    )
    assert.deepEqual(await pid(), before)
  })

  test('cancels a statement at its deadline, which a caller may set for one', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), statementTimeout: '50ms' })
    t.after(() => database.close())
    await assert.rejects(database.query('SELECT pg_sleep(60)'), isRetryable)
    await assert.rejects(
      database.transaction(client => client.query('SELECT pg_sleep(60)')),
      (error: unknown) => isRetryable(error) && /statement timeout/.test(String(error)),
    )
    assert.equal(database.health().ok, true, 'a slow statement is not an illness of the server')
    assert.equal((await database.query('SELECT 1 AS one')).rowCount, 1)
  })

  test('lets one statement take longer, and the next one not', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), statementTimeout: '50ms', max: 1 })
    t.after(() => database.close())
    await database.query('SELECT pg_sleep(0.15)', [], '20s')
    await database.transaction(client => client.query('SELECT pg_sleep(0.15)', [], '20s'))
    await assert.rejects(database.query('SELECT 1/0', [], '20s'), isFinal)
    await assert.rejects(
      database.transaction(client => client.query('SELECT 1/0', [], '20s')),
      isFinal,
    )
    await assert.rejects(database.query('SELECT pg_sleep(60)'), /statement timeout/)
  })

  test('does not pretend to have committed what PostgreSQL undid', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    await database.query('CREATE TABLE t (x INT PRIMARY KEY)')
    const careless = database.transaction(async client => {
      await client.query('INSERT INTO t VALUES (1)')
      await client.query('INSERT INTO t VALUES (1)').catch(() => {})
    })
    await assert.rejects(careless, /the transaction was undone/)
    assert.equal((await database.query('SELECT x FROM t')).rowCount, 0)
  })

  test('refuses callers beyond the number that may wait', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 1, maxWaiting: 2 })
    t.after(() => database.close())
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => database.query('SELECT pg_sleep(0.01)')),
    )
    const refused = results.filter(result => result.status === 'rejected')
    assert.ok(refused.length >= 1)
    for (const { reason } of refused) assert.match(String(reason), /wait for a connection already/)
  })

  test('attack: of a flood of notifications, which every role may send, most are one call to read again', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    const gap = Promise.withResolvers<void>()
    let notices = 0
    await database.listen('bans', () => notices++, gap.resolve)
    await database.query(`SELECT pg_notify('bans', n::text) FROM generate_series(1, 20000) AS n`)
    await gap.promise
    assert.ok(notices >= 500 && notices < 20_000, String(notices))
    const again = Promise.withResolvers<string>()
    await database.listen('others', again.resolve)
    await database.notify('others', 'heard')
    assert.equal(await again.promise, 'heard')
  })

  test('carries notifications up to their limit', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    const heard = Promise.withResolvers<string>()
    const stop = await database.listen('bans; DROP TABLE', heard.resolve)
    await database.notify('bans; DROP TABLE', '203.0.113.9')
    assert.equal(await heard.promise, '203.0.113.9')
    await assert.rejects(database.notify('bans', 'x'.repeat(8_000)), isFinal)
    await stop()
  })
})

describe('a PostgreSQL that cannot be used', () => {
  const everyWord = (error: unknown): string => inspect(error, { depth: 9 })

  test('with a wrong password is named without it, and trying again is not advised', async () => {
    const { postgres } = await services()
    const url = new URL(postgres)
    url.password = 'not-the-password'
    const database = connectPostgres({ url: url.href })
    await assert.rejects(database.query('SELECT 1'), (error: unknown) => {
      assert.ok(isFinal(error))
      assert.match(String(error), /refused the user or password/)
      assert.match(String(error), new RegExp(`postgres 127\\.0\\.0\\.1:${url.port}`))
      assert.doesNotMatch(everyWord(error), /not-the-password/)
      return true
    })
    assert.equal(database.health().ok, false)
    await database.close()
  })

  test('without that database says so', async () => {
    const { postgres } = await services()
    const url = new URL(postgres)
    url.pathname = '/nowhere'
    const database = connectPostgres({ url: url.href })
    await assert.rejects(database.query('SELECT 1'), /has no such database; create it/)
    await database.close()
  })

  test('without TLS where the address asks for it says so', async () => {
    const url = new URL((await services()).postgres)
    url.searchParams.set('sslmode', 'verify-full')
    const database = connectPostgres({ url: url.href })
    await assert.rejects(database.query('SELECT 1'), /TLS could not be agreed; check sslmode/)
    await database.close()
  })

  test('that is not running is worth another try', async () => {
    const silent = await silentServer()
    silent.stop()
    const database = connectPostgres({ url: silent.url })
    await assert.rejects(database.query('SELECT 1'), (error: unknown) => {
      assert.ok(isRetryable(error))
      assert.match(String(error), /is not reachable/)
      assert.doesNotMatch(everyWord(error), /secret-word/)
      return true
    })
    await database.close()
    await database.close()
    await assert.rejects(database.query('SELECT 1'), isFinal)
  })

  test('that takes the connection and says nothing is given up', async () => {
    const silent = await silentServer()
    const database = connectPostgres({ url: silent.url, connectTimeout: '50ms' })
    await assert.rejects(
      database.query('SELECT 1'),
      (error: unknown) => isRetryable(error) && /gave no connection in time/.test(String(error)),
    )
    await database.close()
    silent.stop()
  })

  for (const url of ['', 'localhost', 'mysql://u:secret-word@h/d', 'postgres//u:secret-word@h'])
    test(`with the address ${JSON.stringify(url)} is refused without repeating it`, () => {
      assert.throws(
        () => connectPostgres({ url }),
        (error: unknown) => error instanceof ConfigError && !/secret-word/.test(everyWord(error)),
      )
    })
})

describe('a PostgreSQL that fails while it is used', () => {
  test('crashes under a statement, comes back, and is listened to again with a warning of the gap', async t => {
    const first = await startPostgres()
    t.after(() => first.stop())
    const database = connectPostgres({ url: first.url, statementTimeout: '20s' })
    t.after(() => database.close())
    const heard = Promise.withResolvers<string>()
    const gap = Promise.withResolvers<void>()
    await database.listen('bans', heard.resolve, gap.resolve)
    const terminated = assert.rejects(database.query('SELECT pg_sleep(60)'), isRetryable)
    // Ends every other connection as a restart of the server would.
    const admin = connectPostgres({ url: first.url, max: 1 })
    t.after(() => admin.close())
    const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'postern'`
    const asleep = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'`
    await until(async () => (await admin.query(asleep)).rowCount !== 0)
    await admin.query(others)
    await terminated
    await gap.promise
    await database.query('SELECT 1')
    await database.notify('bans', 'after')
    assert.equal(await heard.promise, 'after')
    assert.equal(database.health().ok, true)
  })

  test('stalls: statements end at their deadline, and the connection that listens notices', async t => {
    const server = await startPostgres()
    t.after(() => server.stop())
    const database = connectPostgres({
      url: server.url,
      statementTimeout: '100ms',
      heartbeat: '50ms',
      connectTimeout: '200ms',
    })
    t.after(() => database.close())
    const gap = Promise.withResolvers<void>()
    await database.listen('bans', () => {}, gap.resolve)
    const { rows } = await database.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`,
    )
    server.signal('SIGSTOP')
    for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
    await assert.rejects(database.query('SELECT 1'), isRetryable)
    assert.equal(database.health().ok, false)
    server.signal('SIGCONT')
    for (const { pid } of rows) process.kill(pid, 'SIGCONT')
    await gap.promise
    await database.query('SELECT 1')
    assert.equal(database.health().ok, true)
  })
})
