// What an application answers that does not map refusals itself: never 500. And what query builders throw on SQLite.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { actingAs, budgetAnswer, budgetError, RowBudgetExceeded, rows } from '@postern/access'
import { guardSqlite, sqliteBudgetError } from '@postern/access/sqlite'
import { CredentialError } from '@postern/core'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { Kysely, SqliteDialect } from 'kysely'

const retryAt = Date.parse('2030-01-02T03:04:05Z')

function refusal(over: 'deny' | 'approval'): RowBudgetExceeded {
  return new RowBudgetExceeded({
    budget: 'orders.delete',
    scope: 'actor',
    allowed: 3,
    asked: 9,
    retryAt,
    over,
  })
}

/** Answers each request by throwing a refusal; the path says which. */
const APPLICATIONS: Readonly<Record<string, () => Promise<(request: Request) => Promise<Response>>>> = {
  Express: async () => {
    const app = express()
    app.set('env', 'test')
    app.get('/:over', request => {
      throw refusal(request.params['over'] === 'approval' ? 'approval' : 'deny')
    })
    return listening(createServer(app))
  },
  Koa: async () => {
    const app = new Koa()
    app.silent = true
    app.use(context => {
      throw refusal(context.path === '/approval' ? 'approval' : 'deny')
    })
    return listening(createServer(app.callback()))
  },
  Fastify: async () => {
    const app = fastify()
    app.get('/:over', async request => {
      throw refusal(request.url === '/approval' ? 'approval' : 'deny')
    })
    await app.ready()
    return async request => {
      const { statusCode, headers, body } = await app.inject({ url: new URL(request.url).pathname })
      return new Response(body, {
        status: statusCode,
        headers: { 'retry-after': String(headers['retry-after']) },
      })
    }
  },
}

const servers: ReturnType<typeof createServer>[] = []

async function listening(
  server: ReturnType<typeof createServer>,
): Promise<(request: Request) => Promise<Response>> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return request => fetch(`http://127.0.0.1:${port}${new URL(request.url).pathname}`)
}

for (const [name, start] of Object.entries(APPLICATIONS))
  test(`${name} without a handler for it answers a refusal with 429 or 403, and when to retry`, async () => {
    const ask = await start()
    try {
      for (const [path, status] of [
        ['/deny', 429],
        ['/approval', 403],
      ] as const) {
        const answer = await ask(new Request(`http://shop${path}`))
        assert.equal(answer.status, status)
        assert.equal(Date.parse(answer.headers.get('retry-after') ?? ''), retryAt)
        await answer.text()
      }
    } finally {
      for (const server of servers.splice(0)) {
        server.close()
        server.closeAllConnections()
      }
    }
  })

test('Kysely on a guarded SQLite: a refusal is answered as one, and so is a change outside of actingAs', async () => {
  const file = new DatabaseSync(':memory:')
  file.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)')
  for (let id = 1; id <= 100; id++) file.prepare('INSERT INTO orders (id) VALUES (?)').run(id)
  guardSqlite(file, { budgets: { 'orders.delete': rows(10, '1h', { over: 'approval' }) } })
  const db = new Kysely<{ orders: { id: number; note: string | null } }>({
    dialect: new SqliteDialect({ database: kyselyDatabase(file) }),
  })
  const heard: unknown[] = []
  const sam = { actor: 'user:sam', refused: (error: unknown) => void heard.push(error) }
  await actingAs(sam, async () => {
    await db.deleteFrom('orders').where('id', '=', 1).execute()
    for (const wipe of [
      () => db.deleteFrom('orders').execute(),
      () => db.transaction().execute(t => t.deleteFrom('orders').execute()),
    ])
      await assert.rejects(wipe(), (error: unknown) => {
        assert.equal(budgetAnswer(error)?.status, 403)
        // As query builders wrap what a driver throws.
        const wrapped = new Error('Failed query', { cause: error })
        assert.equal(budgetAnswer(wrapped)?.status, 403)
        assert.equal(budgetAnswer({ nativeError: error })?.status, 403)
        assert.ok(sqliteBudgetError(wrapped) instanceof RowBudgetExceeded)
        return true
      })
  })
  assert.equal(heard.length, 2)
  await assert.rejects(db.deleteFrom('orders').execute(), (error: unknown) => {
    assert.ok(budgetError(error) instanceof CredentialError)
    assert.equal(budgetAnswer(error), undefined)
    return true
  })
  const [row] = await db.selectFrom('orders').select(db.fn.countAll<number>().as('n')).execute()
  assert.equal(row?.n, 99)
  await db.destroy()
})

/** What Kysely's dialect for SQLite uses of a database, of one that is open already. */
function kyselyDatabase(
  file: DatabaseSync,
): ConstructorParameters<typeof SqliteDialect>[0]['database'] & object {
  return {
    close: () => file.close(),
    prepare: sql => {
      const statement = file.prepare(sql)
      const values = (given: readonly unknown[]) => given as (string | number | null)[]
      return {
        reader: statement.columns().length > 0,
        all: given => statement.all(...values(given)),
        iterate: given => statement.iterate(...values(given)),
        run: given => statement.run(...values(given)),
      }
    },
  }
}
