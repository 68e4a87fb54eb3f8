import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { ConfigError } from '@postern/core'
import { serve } from '@postern/server'
import Express from 'express'
import { type Config, postern } from '../src/index.ts'

const OPENAPI = `
openapi: 3.1.0
servers: [{ url: /v1 }]
paths:
  /items/{id}:
    get:
      parameters:
        - { in: query, name: page, schema: { type: integer } }
        - { in: query, name: sort, schema: { enum: [name, price] } }
        - { in: query, name: q, schema: { type: string, maxLength: 80 } }
  /orders:
    post:
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Order' }
components:
  schemas:
    Order:
      properties:
        customer: { type: string, format: uuid }
        lines: { type: array, items: { properties: { count: { type: integer } } } }
        note: { type: string }
`

const folder = mkdtempSync(join(tmpdir(), 'postern-openapi-'))
writeFileSync(join(folder, 'openapi.yaml'), OPENAPI)
after(() => rmSync(folder, { recursive: true }))

const CONFIG: Config = { audit: false, dataDirectory: false, inspect: { openapi: 'openapi.yaml' } }

async function listening(t: TestContext, handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answer: RequestListener = (_request, response) => void response.end('ok')

/** The ways in which people run Postern. */
const WAYS: Readonly<Record<string, (t: TestContext, config: Config) => Promise<string>>> = {
  async Express(t, config) {
    const layer = await postern({ folder, config, log: 'none' })
    t.after(() => layer.close())
    const app = Express()
    app.use(layer.express())
    app.use(answer)
    return listening(t, app)
  },
  async 'the gateway'(t, config) {
    const upstream = await listening(t, answer)
    const loaded = await loadConfig({
      folder,
      config: { ...config, upstream, listen: '127.0.0.1:0', admin: false, workers: 1 },
      environment: {},
    })
    const running = await serve({ loaded, overrides: {}, dataDirectory: mkdtempSync(join(folder, 'data-')) })
    t.after(() => running.close())
    return running.url
  },
}

for (const [way, start] of Object.entries(WAYS))
  describe(`parameters that an OpenAPI document describes, behind ${way}`, { timeout: 120_000 }, () => {
    const post = (url: string, body: object): Promise<Response> =>
      fetch(`${url}/v1/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const customer = '2f1c8c0e-5b0a-4c57-9a33-d5d6f0a1b2c3'

    test('are refused where a value has another shape, whatever rules say of it', async t => {
      const url = await start(t, CONFIG)
      for (const [target, status] of [
        ['/v1/items/7?page=2&sort=price&q=blue+shoes', 200],
        ['/v1/items/7?page=2;id', 403],
        ['/v1/items/7?sort=%3Cprice', 403],
        // Another operation, of which the document says nothing.
        ['/v1/other?page=2;x', 200],
      ] as const)
        assert.equal((await fetch(url + target)).status, status, target)
      assert.equal(
        (await post(url, { customer, lines: [{ count: 2 }, { count: '3' }], note: 'a <3' })).status,
        200,
      )
      assert.equal((await post(url, { customer: `${customer} x`, lines: [] })).status, 403)
      assert.equal((await post(url, { customer, lines: [{ count: 2 }, { count: '3 or' }] })).status, 403)
    })

    test('are what the configuration says where it says something', async t => {
      const url = await start(t, {
        ...CONFIG,
        routes: { 'GET /v1/items/:id': { inspect: { parameters: { 'query.page': 'text' } } } },
      })
      assert.equal((await fetch(`${url}/v1/items/7?page=2;x`)).status, 200)
      assert.equal((await fetch(`${url}/v1/items/7?sort=%3Cprice`)).status, 403)
    })
  })

test('a document that cannot be used is an error that names it', async () => {
  writeFileSync(join(folder, 'old.json'), '{"swagger":"2.0","paths":{}}')
  for (const [openapi, problem] of [
    ['none.yaml', /inspect\.openapi.*none\.yaml does not exist/s],
    ['old.json', /not an OpenAPI 3 document/],
  ] as const)
    await assert.rejects(
      postern({ folder, config: { ...CONFIG, inspect: { openapi } }, log: 'none' }),
      (error: unknown) => error instanceof ConfigError && problem.test(error.message),
    )
})
