import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { serve } from '@hono/node-server'
import { Access, AccessRefused, guard } from '@postern/access'
import express from 'express'
import fastifyApp from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { ConfigError, callerOf, type Postern, postern } from '../src/index.ts'

const refund = guard(
  new Access(),
  'order.refund',
  { require: { role: 'support' } },
  (_order, { principal }) => `refunded by ${principal.id}`,
)

/** What a handler answers: what the guarded function says, or which request was refused. */
async function said(request: object): Promise<string> {
  try {
    return await refund({ id: 7 }, callerOf(request))
  } catch (error) {
    assert.ok(error instanceof AccessRefused)
    return String(error.extensions['instance'])
  }
}

interface Running {
  ask(role: string): Promise<Response>
  close(): Promise<unknown>
}

async function over(listener: RequestListener): Promise<Running> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return {
    ask: ask((server.address() as AddressInfo).port),
    close: () => new Promise(resolve => server.close(resolve)),
  }
}

function ask(port: number): Running['ask'] {
  return role => fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-role': role, connection: 'close' } })
}

const STARTS: Readonly<Record<string, (layer: Postern) => Promise<Running>>> = {
  node: layer => over(layer.node((request, response) => void said(request).then(text => response.end(text)))),
  Express: layer => {
    const app = express()
    app.use(layer.express())
    app.get('/', async (request, response) => void response.send(await said(request)))
    return over(app)
  },
  Fastify: async layer => {
    const app = fastifyApp()
    await app.register(layer.fastify())
    app.get('/', request => said(request))
    await app.listen({ host: '127.0.0.1', port: 0 })
    return { ask: ask((app.server.address() as AddressInfo).port), close: () => app.close() }
  },
  Koa: layer => {
    const app = new Koa()
    app.use(layer.koa())
    app.use(async context => {
      context.body = await said(context)
    })
    return over(app.callback())
  },
  Hono: async layer => {
    const app = new Hono()
    app.use(layer.hono())
    app.get('/', async context => context.text(await said(context)))
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    if (!server.listening) await new Promise(resolve => server.once('listening', resolve))
    return {
      ask: ask((server.address() as AddressInfo).port),
      close: () => new Promise(resolve => server.close(resolve)),
    }
  },
  fetch: async layer => {
    const handler = layer.fetch(async request => new Response(await said(request)))
    return {
      ask: async role => handler(new Request('http://shop.example/', { headers: { 'x-role': role } })),
      close: async () => {},
    }
  },
}

describe('the caller of a request, for functions that are guarded', () => {
  for (const [name, start] of Object.entries(STARTS))
    test(`${name}: who sent it, and in a refusal which request it was`, async t => {
      const requests: string[] = []
      const layer = await postern({
        config: { audit: false },
        log: 'none',
        identify: exchange => {
          requests.push(exchange.id)
          return { kind: 'user', id: 'ada', roles: [exchange.header('x-role') ?? ''] }
        },
      })
      const running = await start(layer)
      t.after(async () => {
        await running.close()
        await layer.close()
      })
      assert.equal(await (await running.ask('support')).text(), 'refunded by ada')
      assert.equal(await (await running.ask('none')).text(), `urn:postern:request:${requests.at(-1)}`)
    })

  test('a request that Postern does not carry, and a configuration without identify, are mistakes', async t => {
    const layer = await postern({ config: { audit: false }, log: 'none' })
    t.after(() => layer.close())
    const seen: unknown[] = []
    const running = await over(
      layer.node((request, response) => {
        try {
          callerOf(request)
        } catch (error) {
          seen.push(error)
        }
        response.end()
      }),
    )
    t.after(running.close)
    await (await running.ask('support')).text()
    assert.ok(seen[0] instanceof ConfigError)
    for (const request of [{}, new Request('http://shop.example/')])
      assert.throws(
        () => callerOf(request),
        error =>
          error instanceof ConfigError && /callerOf: Postern does not carry this request/.test(error.message),
      )
  })
})
