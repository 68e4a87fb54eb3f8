// What an application answers that does not map refusals of row budgets itself: never 500.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { RowBudgetExceeded } from '@postern/access'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'

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
