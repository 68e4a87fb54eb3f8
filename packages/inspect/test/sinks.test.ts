import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { PosternError } from '@postern/core'
import type { InspectedRequest } from '../src/inspected-request.ts'
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

  test('a promise made of exec is watched too, and resolves to what it does without', async () => {
    const processes = createRequire(import.meta.url)(
      'node:child_process',
    ) as typeof import('node:child_process')
    const sinks = protectSinks({ command: [processes] })
    try {
      const run = promisify(processes.exec)
      assert.equal((await sinks.run(asking('local'), () => run('echo local'))).stdout, 'local\n')
      assert.throws(() => sinks.run(asking('a;echo b'), () => run('echo a;echo b')), SinkRefused)
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

  test('a call to the inside whose host the request chose is refused; one to its own host is not', () => {
    const web = { fetch: (url: string): string => url }
    const sinks = protectSinks({ url: [web] })
    sinks.run(asking('http://169.254.169.254/latest/'), () => {
      assert.throws(() => web.fetch('http://169.254.169.254/latest/'), SinkRefused)
      assert.equal(web.fetch('http://localhost:3000/health'), 'http://localhost:3000/health')
    })
    sinks.run(asking('http://0x7f.1/'), () => assert.throws(() => web.fetch('http://0x7f.1/'), SinkRefused))
    sinks.run(asking('https://example.com/a.png'), () => web.fetch('https://example.com/a.png'))
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
})
