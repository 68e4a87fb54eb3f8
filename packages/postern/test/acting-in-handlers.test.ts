import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import { currentActing } from '@postern/access'
import Express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { type Config, type Exchange, type Postern, type Principal, postern } from '../src/index.ts'

const BUDGETS: Config = { budgets: { 'orders.delete': { rows: 5, window: '1h' } } }

function identify(exchange: Exchange): Principal | undefined {
  const id = exchange.header('authorization')
  return id === undefined ? undefined : { kind: 'user', id, tenant: 'acme' }
}

async function open(t: TestContext, config: Config): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-acting-'))
  const layer = await postern({ folder, config, identify })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return layer
}

/** What a handler finds, after it has waited for something. */
async function acting(): Promise<string> {
  await new Promise(setImmediate)
  const { actor = 'nobody', tenant = '' } = currentActing() ?? {}
  return `${actor} ${tenant}`
}

async function listening(t: TestContext, server: Server): Promise<string> {
  if (!server.listening) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Start = (layer: Postern, t: TestContext) => Promise<string>

const APPLICATIONS: Readonly<Record<string, Start>> = {
  node: (layer, t) =>
    listening(
      t,
      createServer(layer.node((_request, response) => void acting().then(text => response.end(text)))),
    ),
  express: (layer, t) => {
    const app = Express()
    app.use(layer.express())
    app.use(Express.json())
    app.post('/', (_request, response) => void acting().then(text => response.send(text)))
    return listening(t, createServer(app))
  },
  fastify: async (layer, t) => {
    const app = Fastify()
    await app.register(layer.fastify())
    app.post('/', () => acting())
    await app.ready()
    t.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  koa: (layer, t) => {
    const app = new Koa()
    app.use(layer.koa())
    app.use(async context => {
      context.body = await acting()
    })
    return listening(t, createServer(app.callback()))
  },
  hono: (layer, t) => {
    const app = new Hono()
    app.use(layer.hono())
    app.post('/', async context => {
      await context.req.json()
      return context.text(await acting())
    })
    return listening(t, serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
  },
}

const sent = (who: string): RequestInit => ({
  method: 'POST',
  headers: { authorization: who, 'content-type': 'application/json' },
  body: JSON.stringify({ text: 'x'.repeat(100_000) }),
})

describe('who acts is known in handlers', { timeout: 120_000 }, () => {
  for (const [name, start] of Object.entries(APPLICATIONS))
    test(`with ${name}, also after a body was read and for requests at the same time`, async t => {
      const url = await start(await open(t, BUDGETS), t)
      const people = ['ann', 'bob', 'cem', 'dan']
      const said = await Promise.all(people.map(async who => (await fetch(url, sent(who))).text()))
      assert.deepEqual(
        said,
        people.map(who => `user:${who} acme`),
      )
    })

  test('with fetch; a stranger is an address', async t => {
    const layer = await open(t, BUDGETS)
    const handle = layer.fetch(async () => new Response(await acting()), { peer: () => '203.0.113.9' })
    const ask = async (init?: RequestInit): Promise<string> =>
      (await handle(new Request('http://shop.example/', init))).text()
    assert.equal(await ask(sent('ann')), 'user:ann acme')
    assert.equal(await ask(), 'address:203.0.113.9 ')
  })

  test('nothing is put around handlers where no budgets are configured and no calls are watched', async t => {
    const layer = await open(t, { inspect: { sinks: false } })
    assert.equal(layer.engine.around, undefined)
    const handle = layer.fetch(async () => new Response(await acting()), { peer: () => '203.0.113.9' })
    assert.equal(await (await handle(new Request('http://shop.example/', sent('ann')))).text(), 'nobody ')
  })
})
