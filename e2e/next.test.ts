// A real Next application, built and started as in production, with the layer as its proxy
// (what was middleware before Next 16).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { answering, freePort, type Running, root, run } from './protected.ts'

const app = join(root, 'e2e/next-app')
const next = join(root, 'e2e/node_modules/next/dist/bin/next')
// Next starts workers of its own: they must find the sources of this workspace, too.
const env = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: '1',
  NODE_OPTIONS: '--conditions=@postern/source --disable-warning=ExperimentalWarning',
}
let server: Running
let url: string

before(async () => {
  const build = spawnSync(process.execPath, [next, 'build'], {
    cwd: app,
    env,
    encoding: 'utf8',
    timeout: 180_000,
  })
  assert.equal(build.status, 0, `${build.stdout}${build.stderr}`)
  const port = await freePort()
  server = run(process.execPath, [next, 'start', '--port', String(port), '--hostname', '127.0.0.1'], {
    cwd: app,
    env,
  })
  url = `http://127.0.0.1:${port}`
  await answering(url)
})

after(async () => {
  await server?.stop()
  for (const folder of ['.next', '.postern']) rmSync(join(app, folder), { recursive: true, force: true })
})

function send(path: string, address: string, body?: object): Promise<Response> {
  return fetch(url + path, {
    headers: { 'x-real-ip': address, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
}

test('pages and routes answer as before, and a body that was inspected is still there for the route', async () => {
  const page = await send(`/?q=${encodeURIComponent("O'Brien & <3")}`, '203.0.113.1')
  assert.equal(page.status, 200)
  assert.match(await page.text(), /You searched for/)
  const text = "it's 5 > 3, select what you like"
  const echo = await send('/api/echo', '203.0.113.1', { text })
  assert.deepEqual([echo.status, await echo.json()], [200, { text }])
})

test('attacks in the query and in the body are refused before a page or a route sees them', async () => {
  const inQuery = await send(`/?q=${encodeURIComponent('<script>alert(1)</script>')}`, '203.0.113.2')
  const inBody = await send('/api/echo', '203.0.113.2', { text: "x' UNION SELECT password FROM customer --" })
  for (const refused of [inQuery, inBody]) {
    assert.equal(refused.status, 403)
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
    assert.ok(refused.headers.get('x-request-id'))
    assert.doesNotMatch(await refused.text(), /customer|script/)
  }
})

test('limits are held against the peer that the platform names', async () => {
  const guess = async (address: string): Promise<number> =>
    (await send('/api/login', address, { email: 'a@example.com', password: 'guess' })).status
  const guesses: number[] = []
  for (let count = 0; count < 7; count++) guesses.push(await guess('203.0.113.3'))
  assert.deepEqual(guesses, [404, 404, 404, 404, 404, 429, 429])
  assert.equal(await guess('203.0.113.4'), 404)
})
