import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Config } from '@postern/config'
import type { Event } from '@postern/core'
import { type Postern, postern } from '../src/index.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An application behind a configuration, on a real server. */
async function serve(
  scope: TestContext,
  config: Config,
  handler: Handler,
  folder?: string,
): Promise<{ url: string; layer: Postern; folder: string }> {
  const directory = folder ?? mkdtempSync(join(tmpdir(), 'postern-sign-in-'))
  const layer = await postern({ folder: directory, config })
  const server = createServer(
    layer.node<IncomingMessage, ServerResponse>((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => handler(request, response, body))
    }),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    server.close()
    server.closeAllConnections()
    await layer.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, layer, folder: directory }
}

const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

describe('sign-in by configuration', { timeout: 60_000 }, () => {
  test('login: a named route is guarded, its outcome read from the body, and a known device let in', async context => {
    const events: Event[] = []
    const { url } = await serve(
      context,
      {
        audit: false,
        routes: { 'POST /enter': { login: { account: 'user', failed: { text: 'wrong' } } } },
        onEvent: event => events.push(event),
      },
      (_request, response, body) => response.end(body.includes('"right"') ? 'welcome' : 'wrong'),
    )
    const first = await post(`${url}/enter`, { user: 'alice', password: 'right' })
    const cookie = first.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    assert.match(cookie, /^postern-device=/)
    await first.arrayBuffer()
    for (let i = 0; i < 20; i++)
      await (await post(`${url}/enter`, { user: 'alice', password: 'no' })).arrayBuffer()
    const stranger = await post(`${url}/enter`, { user: 'alice', password: 'right' })
    assert.equal(stranger.status, 429)
    const known = await post(`${url}/enter`, { user: 'alice', password: 'right' }, { cookie })
    assert.equal(known.status, 200)
    assert.ok(events.some(({ type }) => type === 'login.succeeded'))
    assert.ok(events.some(({ type }) => type === 'login.failed'))
  })

  test('login: a restart forgets no tries', async context => {
    const config: Config = { audit: false, routes: { 'POST /login': { login: { account: 'user' } } } }
    const wrong: Handler = (_request, response) => response.writeHead(401).end()
    const folder = mkdtempSync(join(tmpdir(), 'postern-sign-in-'))
    const before = await serve(context, config, wrong, folder)
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await post(`${before.url}/login`, { user: 'bob' })).status)
    assert.deepEqual(statuses, [401, 401, 401])
    await before.layer.close()
    const after = await serve(context, config, wrong, folder)
    assert.equal((await post(`${after.url}/login`, { user: 'bob' })).status, 429)
    assert.equal((await post(`${after.url}/login`, { user: 'carol' })).status, 401)
  })

  test('headers and csrf: on by a key, off by a route', async context => {
    const { url } = await serve(
      context,
      {
        audit: false,
        headers: 'strict',
        csrf: true,
        routes: { 'POST /hook': { csrf: false }, '/raw': { headers: false } },
      },
      (request, response) =>
        response
          .setHeader('Content-Type', 'text/html')
          .setHeader('Set-Cookie', 'sid=1')
          .end(String(request.headers['x-csp-nonce'])),
    )
    const page = await fetch(url, { headers: { accept: 'text/html' } })
    const nonce = await page.text()
    assert.ok(page.headers.get('content-security-policy')?.includes(`'nonce-${nonce}'`))
    assert.equal(page.headers.get('x-frame-options'), 'DENY')
    assert.deepEqual(page.headers.getSetCookie(), ['sid=1; HttpOnly; SameSite=Lax'])
    assert.equal((await fetch(`${url}/raw`)).headers.get('x-frame-options'), null)
    const cross = { cookie: 'sid=1', 'sec-fetch-site': 'cross-site' }
    assert.equal((await post(`${url}/orders`, {}, cross)).status, 403)
    assert.equal((await post(`${url}/hook`, {}, cross)).status, 200)
    assert.equal(
      (await post(`${url}/orders`, {}, { cookie: 'sid=1', 'sec-fetch-site': 'same-origin' })).status,
      200,
    )
  })

  test('bind: the browser gets another cookie, the application its own', async context => {
    const { url } = await serve(
      context,
      { audit: false, bind: { cookie: 'connect.sid' } },
      (request, response) => {
        if (request.url === '/start') response.setHeader('Set-Cookie', ['connect.sid=s1; Path=/', 'other=2'])
        response.end(String(request.headers.cookie))
      },
    )
    const start = await fetch(`${url}/start`)
    assert.equal(await start.text(), 'undefined')
    const cookies = start.headers.getSetCookie()
    assert.equal(cookies[0], 'other=2')
    assert.match(cookies[1] ?? '', /^postern-bound=/)
    const cookie = cookies[1]?.split(';', 1)[0] ?? ''
    assert.equal(
      await (await fetch(url, { headers: { cookie: `${cookie}; a=b` } })).text(),
      'a=b; connect.sid=s1',
    )
    assert.equal(await (await fetch(url, { headers: { cookie: 'connect.sid=s1; a=b' } })).text(), 'a=b')
  })
})
