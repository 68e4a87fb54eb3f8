import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type Served, serve } from '@postern/server'
import { freshDatabase } from './services.ts'
import { until } from './until.ts'

type Json = Readonly<Record<string, unknown>>

/** Signs in to the console of a gateway. @returns asks its API */
async function consoleOf(
  served: Served,
): Promise<(path: string, body?: object) => Promise<{ readonly status: number; readonly json: Json }>> {
  const { address = '', link = '' } = served.console ?? {}
  const type = { 'Content-Type': 'application/json' }
  const signedIn = await fetch(`${address}api/session`, {
    method: 'POST',
    headers: type,
    body: JSON.stringify({ link: /#link=(.*)$/.exec(link)?.[1] }),
  })
  const { token } = (await signedIn.json()) as { readonly token: string }
  const headers = {
    ...type,
    Cookie: signedIn.headers.get('set-cookie')?.split(';', 1)[0] ?? '',
    'Console-Token': token,
  }
  return async (path, body) => {
    const answer = await fetch(`${address}api${path}`, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: answer.status, json: (await answer.json()) as Json }
  }
}

test('one console shows the traffic of two gateways on one PostgreSQL, and on which of them bans and settings hold', async t => {
  const backend = createServer((request, response) => {
    request.resume()
    response.end('ok\n')
  }).listen(0, '127.0.0.1')
  const url = await freshDatabase(t)
  const folders: string[] = []
  const start = async (more: string): Promise<Served> => {
    const folder = mkdtempSync(join(tmpdir(), 'shop-'))
    folders.push(folder)
    const { port } = backend.address() as AddressInfo
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `upstream: http://127.0.0.1:${port}
listen: 127.0.0.1:0
admin: false
audit: false
trustProxies: loopback
stores: { postgres: '${url}' }
console: { listen: '127.0.0.1:0', country: CF-IPCountry }
${more}`,
    )
    const loaded = await loadConfig({ folder, environment: process.env })
    return serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
  }
  const one = await start('')
  const two = await start('workers: 1\n')
  t.after(async () => {
    await one.close()
    await two.close()
    backend.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  const send = (served: Served, path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${served.url}${path}`, {
      headers: { 'X-Forwarded-For': '198.51.100.7', 'User-Agent': 'curl/8', ...headers },
    })
  const attack = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`
  assert.equal((await send(one, '/at-one')).status, 200)
  const refused = await send(two, attack, { 'CF-IPCountry': 'BR' })
  assert.equal(refused.status, 403)
  const ask = await consoleOf(one)
  let events: readonly Json[] = []
  await until(async () => {
    events = (await ask('/events')).json['events'] as readonly Json[]
    return events.some(({ verdict }) => verdict === 'deny') && events.length >= 2
  })
  assert.equal(events.find(({ verdict }) => verdict === 'deny')?.['address'], '198.51.100.7')
  const why = await ask(`/requests/${refused.headers.get('x-request-id')}`)
  assert.equal(why.status, 200, 'why of a request that the other gateway refused')
  const heat = (await ask('/activity?days=1')).json['countries'] as readonly Json[]
  assert.deepEqual(
    heat.map(({ country, refused: times }) => [country, times]),
    [['BR', 1]],
  )
  let board: readonly Json[] = []
  await until(async () => {
    board = (await ask('/instances')).json['instances'] as readonly Json[]
    return board.length === 2
  })
  assert.deepEqual(
    board.map(({ isSame }) => isSame),
    [true, false],
    'the second has another configuration',
  )
  const names = board.map(({ name }) => name)
  assert.deepEqual([...new Set(events.map(({ instance }) => instance))].sort(), [...names].sort())
  for (const name of names) {
    const { json } = await ask(`/events?instance=${encodeURIComponent(String(name))}`)
    const own = json['events'] as readonly Json[]
    assert.equal(own.length > 0 && own.every(({ instance }) => instance === name), true, String(name))
  }
  const { json: bans } = await ask('/bans')
  assert.deepEqual(bans['instances'], names)
  const started = await ask('/settings/preview', { text: 'block: [198.51.100.7]\n', hours: 1 })
  assert.equal(started.status, 200, JSON.stringify(started.json))
  let preview: Json = {}
  await until(async () => {
    preview = (await ask('/settings/preview')).json
    return preview['state'] !== 'running'
  })
  assert.equal(preview['state'], 'done', JSON.stringify(preview))
  assert.equal((preview['result'] as Json)['requests'], 2)
})
