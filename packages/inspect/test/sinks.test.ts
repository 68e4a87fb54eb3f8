import assert from 'node:assert/strict'
import type { exec } from 'node:child_process'
import { type EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { PosternError } from '@postern/core'
import type { InspectedRequest } from '../src/request/inspected-request.ts'
import { escapesCommand } from '../src/sinks/command-sink.ts'
import { escapesPath } from '../src/sinks/path-sink.ts'
import { protectSinks, SinkRefused } from '../src/sinks/protect-sinks.ts'
import { escapesSql } from '../src/sinks/sql-sink.ts'

function asking(query: string): InspectedRequest {
  return { method: 'GET', target: `/?q=${encodeURIComponent(query)}`, headers: ['host', 'localhost:3000'] }
}

describe('sinks', () => {
  test('a value that leaves its string in a statement is distinguished from one that stays in it', () => {
    for (const [statement, value, escapes] of [
      ["select * from a where n = 'x' or 1=1'", "x' or 1=1", true],
      ["select * from a where n = 'O''Brien or not'", "O''Brien or not", false],
      ["select * from a where n = 'cats and dogs'", 'cats and dogs', false],
      ['select * from a where id = 1 or 1=1', '1 or 1=1', true],
      ['select * from a where id = 12.5', '12.5', false],
      ['select * from a where n = ?', "x' or 1=1", false],
      ["select * from a where n = 'a\\' or 1=1'", "a\\' or 1=1", false],
    ] as const) {
      assert.equal(escapesSql(statement, value), escapes, statement)
    }
  })

  test('commands and paths', () => {
    assert.equal(escapesCommand('ping -c 1 x;id', 'x;id'), true)
    assert.equal(escapesCommand("ping -c 1 'x;id'", 'x;id'), false)
    assert.equal(escapesCommand('ping -c 1 host', 'host'), false)
    assert.equal(escapesCommand('convert "Ham & Eggs (1).png" a', 'Ham & Eggs (1).png'), false)
    assert.equal(escapesCommand('convert "$(id)" a', '$(id)'), true)
    assert.equal(escapesCommand('convert "a" ; id "b" a', 'a" ; id "b'), true)
    assert.equal(escapesPath('/srv/files/../../etc/x', '../../etc/x'), true)
    assert.equal(escapesPath('/srv/files/a..b', 'a..b'), false)
  })

  test('a statement of node:sqlite that an attack reached is refused; one that binds it runs', () => {
    const sinks = protectSinks({ sql: [DatabaseSync.prototype] })
    try {
      const db = new DatabaseSync(':memory:')
      db.exec('create table users (name text)')
      const attack = "x' or '1'='1"
      sinks.run(asking(attack), () => {
        assert.throws(
          () => db.prepare(`select * from users where name = '${attack}'`),
          (error: unknown) =>
            error instanceof SinkRefused &&
            error instanceof PosternError &&
            error.code === 'POSTERN_SINK_REFUSED' &&
            error.name === 'SinkRefused' &&
            !error.message.includes(attack),
        )
        assert.deepEqual(db.prepare('select * from users where name = ?').all(attack), [])
      })
      db.prepare(`select * from users where name = '${attack}'`)
      db.close()
    } finally {
      sinks.restore()
    }
  })

  test('a value is compared however much of the request stands before it, and however long it is', () => {
    const sinks = protectSinks({ sql: [DatabaseSync.prototype] })
    try {
      const db = new DatabaseSync(':memory:')
      db.exec('create table users (name text)')
      const attack = "x' or '1'='1"
      const coded = encodeURIComponent(attack)
      const filler = (count: number, separator: string): string =>
        Array.from({ length: count }, (_, i) => `k${i}=a.${i}`).join(separator)
      const long = `${'a long text '.repeat(2_000)}${attack}`
      const body = (fields: object): Pick<InspectedRequest, 'method' | 'headers' | 'body'> => ({
        method: 'POST',
        headers: ['content-type', 'application/json'],
        body: Buffer.from(JSON.stringify(fields)),
      })
      const cases: readonly (readonly [InspectedRequest, string])[] = [
        [{ method: 'GET', target: `/?${filler(1_500, '&')}&q=${coded}`, headers: [] }, attack],
        [{ method: 'GET', target: '/', headers: ['cookie', `${filler(300, ';')};q=${coded}`] }, attack],
        [{ method: 'GET', target: `${'/a.b'.repeat(100)}/${coded}`, headers: [] }, attack],
        [
          { target: '/', ...body({ list: Array.from({ length: 9_000 }, (_, i) => `a.${i}`), q: attack }) },
          attack,
        ],
        [{ target: '/', ...body({ q: long }) }, long],
      ]
      for (const [request, value] of cases)
        sinks.run(request, () => {
          assert.throws(() => db.prepare(`select * from users where name = '${value}'`), SinkRefused)
        })
    } finally {
      sinks.restore()
    }
  })

  test('a promise made of exec is watched too, and resolves to what it does without', async () => {
    const processes = createRequire(import.meta.url)(
      'node:child_process',
    ) as typeof import('node:child_process')
    const sinks = protectSinks({ command: [processes] })
    try {
      const run = promisify(processes.exec)
      assert.equal((await sinks.run(asking('local'), () => run('echo local'))).stdout, 'local\n')
      await assert.rejects(
        sinks.run(asking('a;echo b'), () => run('echo a;echo b')),
        SinkRefused,
      )
    } finally {
      sinks.restore()
    }
  })

  test('a kind that is only reported lets its calls run, beside one that refuses', () => {
    const hits: string[] = []
    const client = { query: (statement: string): string => statement }
    const processes = { exec: (command: string): string => command }
    const sinks = protectSinks(
      { sql: [client], command: [processes] },
      { mode: { sql: 'report' }, onHit: (hit, { target }) => hits.push(`${hit.kind} ${target}`) },
    )
    sinks.run(asking('1 or 1=1'), () => {
      assert.equal(client.query('select 1 or 1=1'), 'select 1 or 1=1')
      // A statement with a hit is compared each time.
      assert.equal(client.query('select 1 or 1=1'), 'select 1 or 1=1')
    })
    assert.throws(() => sinks.run(asking('a;id'), () => processes.exec('ping a;id')), SinkRefused)
    assert.deepEqual(hits, ['sql /?q=1%20or%201%3D1', 'sql /?q=1%20or%201%3D1', 'command /?q=a%3Bid'])
    sinks.restore()
  })

  test('follows a request through waiting, and keeps requests apart', async () => {
    const asked: string[] = []
    const client = { query: (statement: string): string => statement }
    const sinks = protectSinks({ sql: [client] }, { mode: 'report', onHit: hit => asked.push(hit.location) })
    await Promise.all([
      sinks.run(asking("1' or 1=1"), async () => {
        await Promise.resolve()
        client.query("select '1' or 1=1'")
      }),
      sinks.run(asking('fine value'), async () => {
        await Promise.resolve()
        client.query("select '1' or 1=1'")
      }),
    ])
    assert.deepEqual(asked, ['query.q'])
    sinks.restore()
    assert.equal(client.query('x'), 'x')
  })

  test('a call to the inside whose host the request chose is refused; one to its own host is not', async () => {
    const web = { fetch: async (url: string): Promise<string> => url }
    const sinks = protectSinks({ url: [web] })
    await sinks.run(asking('http://169.254.169.254/latest/'), async () => {
      await assert.rejects(web.fetch('http://169.254.169.254/latest/'), SinkRefused)
      assert.equal(await web.fetch('http://localhost:3000/health'), 'http://localhost:3000/health')
    })
    await assert.rejects(
      sinks.run(asking('http://0x7f.1/'), () => web.fetch('http://0x7f.1/')),
      SinkRefused,
    )
    await sinks.run(asking('https://example.com/a.png'), () => web.fetch('https://example.com/a.png'))
    sinks.restore()
  })

  test('commands run by a shell are watched, arguments without a shell are not', () => {
    const processes = {
      exec: (command: string): string => command,
      execFile: (file: string, _arguments: readonly string[]): string => file,
    }
    const sinks = protectSinks({ command: [processes] })
    sinks.run(asking('x; rm -rf /'), () => {
      assert.throws(() => processes.exec('ping x; rm -rf /'), SinkRefused)
      assert.equal(processes.execFile('ping', ['x; rm -rf /']), 'ping')
    })
    sinks.restore()
  })

  test('a refusal arrives as the call fails by itself: thrown, at the callback, as a rejection, as an event', async () => {
    const attack = "x' or 1=1"
    const statement = `select '${attack}'`
    const client = { query: () => 'ran', escapeLiteral: () => '' }
    const connection = { query: () => 'ran', addCommand: () => '' }
    const plain = { query: () => 'ran' }
    const sinks = protectSinks({ sql: [client, connection, plain] })
    type Query = (statement: string, callback?: (error: Error) => void) => unknown
    const query = (on: { query: unknown }, ...parameters: Parameters<Query>): unknown =>
      Reflect.apply(on.query as Query, on, parameters)
    await sinks.run(asking(attack), async () => {
      await assert.rejects(query(client, statement) as Promise<unknown>, SinkRefused)
      const { promise, resolve } = Promise.withResolvers<Error>()
      assert.equal(query(client, statement, resolve), undefined)
      assert.ok((await promise) instanceof SinkRefused)
      const [error] = await once(query(connection, statement) as EventEmitter, 'error').catch(thrown => [
        thrown,
      ])
      assert.ok(error instanceof SinkRefused)
      assert.throws(() => query(plain, statement), SinkRefused)
    })
    sinks.restore()
  })

  test('words that are bound, and stand in the statement anyway, are not hit; conditions among them are', async () => {
    const client = { query: (_statement: string, _values: readonly string[]): string => 'ran' }
    const sinks = protectSinks({ sql: [client] })
    const statement = 'select name from a where name is not null and name = $1'
    sinks.run(asking('is not null'), () => assert.equal(client.query(statement, ['is not null']), 'ran'))
    const joined = `${statement} order by name or true`
    sinks.run(asking('name or true'), () =>
      assert.throws(() => client.query(joined, ['name or true']), SinkRefused),
    )
    sinks.restore()
  })

  test('a doubted value that is bound is reported; one that no call takes as data is not', () => {
    const bound: string[] = []
    const client = { query: (_statement: string, _values?: readonly unknown[]): string => 'ran' }
    const sinks = protectSinks(
      { sql: [client] },
      { onBound: ({ kind, location, method }) => bound.push(`${kind} ${location} ${method}`) },
    )
    const text = "it's\n1 or 1=1"
    sinks.run(asking(text), () => client.query('select $1', [text]), ['query.q'])
    sinks.run(asking(text), () => client.query('select $1', [JSON.stringify({ a: text })]), ['query.q'])
    sinks.run(asking(text), () => client.query('select $1', ['other']), ['query.q'])
    sinks.run(asking(text), () => client.query('select $1', [text]))
    assert.deepEqual(bound, ['sql query.q query', 'sql query.q query'])
    sinks.restore()
  })

  test('what a pool calls back runs within the request that asked, not the one that gave a connection back', async () => {
    const waiting: ((client: string) => void)[] = []
    const pool = { connect: (callback: (client: string) => void): number => waiting.push(callback) }
    const client = { query: (statement: string): string => statement }
    const sinks = protectSinks({ sql: [client], pools: [pool] })
    const ran: unknown[] = []
    const take = (statement: string): void => {
      pool.connect(() => {
        try {
          ran.push(client.query(statement))
        } catch (error) {
          ran.push(error instanceof SinkRefused)
        }
      })
    }
    sinks.run(asking("x' or 1=1"), () => take("select 'x' or 1=1'"))
    take('select a from b where c = 2')
    sinks.run(asking(' where c ='), () => {
      for (const callback of waiting) callback('client')
    })
    assert.deepEqual(ran, [true, 'select a from b where c = 2'])
    sinks.restore()
  })
})

test('a function that somebody made a promise of before is watched like any other', async () => {
  const processes = createRequire(import.meta.url)('node:child_process') as { exec: typeof exec }
  const before = promisify(processes.exec)
  const sinks = protectSinks({ command: [processes] })
  try {
    const attack = 'x; echo done'
    const after = promisify(processes.exec)
    assert.equal(Reflect.get(after, promisify.custom), after)
    assert.equal((await after('echo hello')).stdout, 'hello\n')
    await sinks.run(asking(attack), () => assert.rejects(after(`echo ${attack}`), SinkRefused))
  } finally {
    sinks.restore()
  }
  assert.equal(promisify(processes.exec), before)
})

describe('several that watch one method', () => {
  const attack = "1' or '1'='1"
  const statement = `select * from t where id = '${attack}'`
  const request = (): InspectedRequest => ({
    method: 'GET',
    target: `/?id=${encodeURIComponent(attack)}`,
    headers: [],
  })

  test('come and go in any order, and the method is its own again after the last', () => {
    const database = { query: (text: string): string => text }
    const { query } = database
    const first = protectSinks({ sql: [database] })
    const watched = database.query
    const second = protectSinks({ sql: [database] })
    assert.equal(database.query, watched, 'one function watches for both')
    for (const sinks of [first, second])
      assert.throws(() => sinks.run(request(), () => database.query(statement)), SinkRefused)
    first.restore()
    assert.throws(() => second.run(request(), () => database.query(statement)), SinkRefused)
    assert.equal(
      first.run(request(), () => database.query(statement)),
      statement,
    )
    second.restore()
    assert.equal(database.query, query)
  })

  test('do not wrap each other, however often a driver is loaded', () => {
    const database = { query: (): number => new Error().stack?.split('\n').length ?? 0 }
    const first = protectSinks({ sql: [database] })
    const second = protectSinks({ sql: [database] })
    const depth = database.query()
    for (let i = 0; i < 20; i++) {
      first.extend({ sql: [database] })
      second.extend({ sql: [database] })
      protectSinks({ sql: [database] }).restore()
    }
    assert.equal(database.query(), depth)
    first.restore()
    second.restore()
  })

  test('leave a wrapper of somebody else alone', () => {
    const database = { query: (text: string): string => text }
    const sinks = protectSinks({ sql: [database] })
    const inner = database.query
    const other = (text: string): string => `traced ${inner(text)}`
    database.query = other
    sinks.restore()
    assert.equal(database.query, other)
    assert.equal(database.query('select 1'), 'traced select 1')
  })
})
