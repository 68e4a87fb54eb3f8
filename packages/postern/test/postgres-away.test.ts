import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { generateNoteKey } from '@postern/audit'
import type { Event } from '@postern/core'
import { freePort } from '../../../test/local-server.ts'
import { freshDatabase } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const ORIGIN = 'http://localhost:8080'

/** A database whose server does not answer yet: nobody listens at its address until `comes`. */
async function awayDatabase(t: TestContext): Promise<{ readonly url: string; comes(): Promise<void> }> {
  const real = new URL(await freshDatabase(t))
  const port = await freePort()
  const open = new Set<Socket>()
  const server: Server = createServer(client => {
    const there = connect(Number(real.port), real.hostname)
    for (const [one, other] of [
      [client, there],
      [there, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy()).on('close', () => open.delete(one))
      one.pipe(other)
    }
  })
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  const url = new URL(real)
  url.port = String(port)
  return {
    url: url.href,
    comes: async () => {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      assert.equal((server.address() as AddressInfo).port, port)
    },
  }
}

async function layerOf(
  t: TestContext,
  config: (url: string, folder: string) => Config,
): Promise<{ layer: Postern; seen: Event[]; comes(): Promise<void> }> {
  const database = await awayDatabase(t)
  const folder = mkdtempSync(join(tmpdir(), 'postern-away-'))
  const seen: Event[] = []
  const layer = await postern({
    folder,
    config: config(database.url, folder),
    onEvent: event => void seen.push(event),
    log: 'none',
  })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { layer, seen, comes: database.comes }
}

async function answer(layer: Postern, path: string, init: RequestInit = {}): Promise<Response> {
  const handle = layer.fetch(() => new Response('handled'), { peer: () => '192.0.2.7' })
  const response = await handle(new Request(`${ORIGIN}${path}`, init))
  // To its end: only then is the exchange over, and recorded.
  await response.text()
  return response
}

const problems = (layer: Postern): string =>
  layer
    .health()
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => `${name}: ${detail}`)
    .join('\n')

describe('PostgreSQL that is down at the start', { timeout: 120_000 }, () => {
  test('keeps no audit log from being started: events wait, what must be logged first is refused, and it recovers', async t => {
    const { signerKey } = generateNoteKey('shop.example/away')
    const { layer, seen, comes } = await layerOf(t, url => ({
      stores: { postgres: url },
      audit: { store: 'postgres', origin: 'shop.example/away', signerKeys: [signerKey], record: 'after' },
      routes: { 'POST /pay': { record: 'before' } },
    }))
    assert.match(problems(layer), /^audit: not open yet \(postgres .*\); \d+ events wait for it, 0 lost$/m)
    assert.equal((await answer(layer, '/')).status, 200)
    assert.equal((await answer(layer, '/note', { method: 'POST' })).status, 200)
    assert.equal((await answer(layer, '/pay', { method: 'POST' })).status, 503)
    await assert.rejects(
      async () => layer.audit?.checkpoint(),
      (error: unknown) => error instanceof Error && 'code' in error && error.code === 'POSTERN_STORE',
    )
    await comes()
    await until(() => !/^audit: /m.test(problems(layer)))
    assert.equal((await answer(layer, '/pay', { method: 'POST' })).status, 200)
    // What waited is entered as any event in mode `after`: soon.
    await until(async () => {
      for await (const { event } of layer.audit?.query({ type: 'http' }) ?? [])
        if (event.request?.path === '/note') return true
      return false
    })
    assert.deepEqual(
      seen.filter(({ data }) => data?.['part'] === 'audit').map(({ type }) => type),
      ['store.away', 'store.back'],
    )
  })

  test('keeps no built-in identity from being started: visitors pass, who claims to be somebody does not, and it recovers', async t => {
    const { layer, comes } = await layerOf(t, (url, folder) => {
      writeFileSync(join(folder, 'identity.secret'), '5c'.repeat(32))
      return {
        stores: { postgres: url },
        identity: { origin: ORIGIN, secretFile: 'identity.secret', backend: {}, oauth: {} },
      }
    })
    assert.match(problems(layer), /^built-in identity: not open yet \(postgres .*nobody can sign in/m)
    assert.equal((await answer(layer, '/')).status, 200)
    // A client that finds the backend's 404 where the metadata stands takes it for a site without OAuth.
    const pages = ['/.postern/sign-in', '/.well-known/oauth-authorization-server/.postern/oauth']
    for (const page of pages) {
      const away = await answer(layer, page)
      assert.deepEqual([away.status, away.headers.get('retry-after')], [503, '1'], page)
    }
    assert.equal((await answer(layer, '/.well-known/oauth-authorization-server')).status, 200)
    const claimed = await answer(layer, '/', { headers: { cookie: 'postern-session=abcdefgh12345678' } })
    assert.equal(claimed.status, 503)
    assert.throws(() => layer.identity?.accounts, /postgres/)
    await comes()
    await until(() => !problems(layer).includes('built-in identity'))
    for (const page of pages) assert.equal((await answer(layer, page)).status, 200, page)
    assert.deepEqual(await layer.identity?.accounts.list(), [])
  })
})
