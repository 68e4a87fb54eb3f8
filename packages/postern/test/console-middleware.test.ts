import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { serve } from '@postern/server'
import { until } from '../../../test/until.ts'
import { postern } from '../src/index.ts'

type Json = Readonly<Record<string, unknown>>
type Ask = (
  path: string,
  body?: object,
  method?: string,
) => Promise<{ readonly status: number; readonly json: Json }>

/** Signs in by a link, at an address that may be another than that of the link. */
async function signedIn(address: string, link: string): Promise<Ask> {
  const { origin } = new URL(address)
  const type = { 'Content-Type': 'application/json', Origin: origin }
  const answer = await fetch(`${address}api/session`, {
    method: 'POST',
    headers: type,
    body: JSON.stringify({ link: /#link=(.*)$/.exec(link)?.[1] }),
  })
  assert.equal(answer.status, 200, await answer.clone().text())
  const headers = {
    ...type,
    Cookie: answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '',
    'Console-Token': ((await answer.json()) as { readonly token: string }).token,
  }
  return async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const answered = await fetch(`${address}api${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answered.status, json: (await answered.json()) as Json }
  }
}

const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`
const eventsOf = async (ask: Ask): Promise<readonly Json[]> =>
  (await ask('/events?type=http')).json['events'] as readonly Json[]

test('an application with postern({ console }) has a console that shows what the middleware decides, and bans hold in it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-console-middleware-'))
  const lines: string[] = []
  const layer = await postern({
    folder,
    config: { console: { listen: '127.0.0.1:0' }, trustProxies: ['loopback'] },
    onLine: line => lines.push(line),
  })
  const server = createServer(layer.node((_request, response) => response.end('ok'))).listen(0, '127.0.0.1')
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await until(() => server.listening)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = (path: string): Promise<Response> =>
    fetch(url + path, { headers: { 'X-Forwarded-For': '198.51.100.7', 'User-Agent': 'curl/8' } })
  assert.ok(lines.some(line => /^console http:\/\/127\.0\.0\.1:\d+\/#link=/.test(line)))
  const refused = await send(ATTACK)
  assert.equal(refused.status, 403)
  const ask = await signedIn(layer.console?.address ?? '', layer.console?.link('ann') ?? '')
  const [event] = await eventsOf(ask)
  assert.deepEqual([event?.['verdict'], event?.['address']], ['deny', '198.51.100.7'])
  assert.equal((await ask(`/requests/${event?.['request']}`)).status, 200)
  assert.equal((await ask('/bans', { actor: '198.51.100.7' })).status, 200)
  assert.equal((await send('/')).status, 403)
  assert.equal((await ask('/settings')).json['text'], undefined, 'a configuration in code is not a file')
  assert.equal((await ask('/settings/preview', { text: 'mode: observe\n' })).status, 400)
  assert.equal((await ask('/attacks/sql-injection', {})).status, 400)
  assert.equal((await ask('/system')).json['workers'], 1)
})

test('forward-auth has a console too', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-console-forward-'))
  writeFileSync(
    join(folder, 'postern.config.yaml'),
    "console: { listen: '127.0.0.1:0' }\nadmin: false\ntrustProxies: [loopback]\nforwardAuth: { dialect: nginx, listen: '127.0.0.1:0' }\n",
  )
  const loaded = await loadConfig({ folder, environment: process.env })
  const served = await serve({
    kind: 'forward-auth',
    loaded,
    overrides: {},
    dataDirectory: join(folder, '.postern'),
  })
  t.after(async () => {
    await served.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const answer = await fetch(served.url, {
    headers: {
      'x-original-method': 'GET',
      'x-original-uri': ATTACK,
      'x-original-host': 'shop.example',
      'x-forwarded-for': '203.0.113.9',
    },
  })
  assert.equal(answer.status, 403)
  const ask = await signedIn(served.console?.address ?? '', served.console?.link ?? '')
  const [event] = await eventsOf(ask)
  assert.deepEqual([event?.['verdict'], event?.['address']], ['deny', '203.0.113.9'])
})

test('the console behind the gateway under a sub-path: signing in, reading and acting go through the front door', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-console-front-'))
  const probe = createServer().listen(0, '127.0.0.1')
  await until(() => probe.listening)
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  const front = createServer().listen(0, '127.0.0.1')
  await until(() => front.listening)
  const { port: frontPort } = front.address() as AddressInfo
  await new Promise(resolve => front.close(resolve))
  writeFileSync(
    join(folder, 'postern.config.yaml'),
    `upstream: http://127.0.0.1:${port}
listen: 127.0.0.1:${frontPort}
admin: false
console: { listen: '127.0.0.1:${port}', path: /console/, origins: ['http://127.0.0.1:${frontPort}'] }
`,
  )
  const loaded = await loadConfig({ folder, environment: process.env })
  const served = await serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
  t.after(async () => {
    await served.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const link = served.console?.link ?? ''
  assert.match(link, new RegExp(`^http://127\\.0\\.0\\.1:${frontPort}/console/#link=`))
  const ask = await signedIn(`${served.url}/console/`, link)
  assert.equal((await ask('/session')).status, 200)
  assert.equal((await ask('/bans', { actor: '198.51.100.9', reason: 'from behind the gateway' })).status, 200)
  assert.equal(((await ask('/bans')).json['bans'] as readonly unknown[]).length, 1)
  for (const [path, headers] of [
    ['/console/api/bans', { Host: 'evil.example' }],
    ['/console/api/bans', { Origin: 'https://evil.example' }],
    ['/console/api/bans', { 'Sec-Fetch-Site': 'cross-site' }],
    ['/console/..%2fapi/bans', {}],
    ['/console//api/bans', {}],
    ['/api/bans', {}],
  ] as const)
    assert.notEqual(await statusOf(frontPort, path, headers), 200, `${path} ${JSON.stringify(headers)}`)
})

/** A request with headers that `fetch` would set by itself. */
function statusOf(port: number, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, headers: { 'User-Agent': 'x', ...headers } },
      response => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer')))
    sent.once('error', reject)
    sent.end()
  })
}

test('attempts to sign in are counted by the clients that a proxy of trustProxies names', async t => {
  /** How many of the attempts of two clients, 61 each, are one too many. */
  const refusedOf = async (trustProxies: 'loopback' | undefined): Promise<readonly number[]> => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-console-attempts-'))
    const layer = await postern({
      folder,
      config: { console: { listen: '127.0.0.1:0' }, ...(trustProxies !== undefined && { trustProxies }) },
      log: 'none',
    })
    t.after(async () => {
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const address = layer.console?.address ?? ''
    const attempt = async (client: string): Promise<number> => {
      const headers = {
        'Content-Type': 'application/json',
        Origin: new URL(address).origin,
        'X-Forwarded-For': client,
      }
      const answer = await fetch(`${address}api/session/passkey/options`, {
        method: 'POST',
        headers,
        body: '{}',
      })
      await answer.text()
      return answer.status
    }
    const refused: number[] = []
    for (const client of ['203.0.113.7', '203.0.113.8']) {
      const statuses = await Promise.all(Array.from({ length: 61 }, () => attempt(client)))
      refused.push(statuses.filter(status => status === 429).length)
    }
    return refused
  }
  assert.deepEqual(await refusedOf('loopback'), [1, 1])
  // A client that is not a proxy cannot say that it is another.
  assert.deepEqual(await refusedOf(undefined), [1, 61])
})
