import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { until } from '../../../test/until.ts'
import { startBackend } from '../../cli/test/backend.ts'
import { cli, startGatewayProcess } from '../../cli/test/cli.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-limits-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function withLayer(config: Config, work: (layer: Postern) => Promise<void>): Promise<void> {
  const layer = await postern({ folder: newFolder(), config })
  try {
    await work(layer)
  } finally {
    await layer.close()
  }
}

/** An exchange ends with its body. */
async function read(response: Response): Promise<number> {
  await response.arrayBuffer()
  return response.status
}

describe('postern limits show without a key', () => {
  test('lists every limit with what it is held against, and says what can be asked; no gateway has to run', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      [
        'limits: { login: false, shop: { limit: 10/1s burst 50, key: { header: x-shop } } }',
        'routes: { /search: { throttle: 5/1m } }',
      ].join('\n'),
    )
    const { code, stdout } = await cli(['limits', 'show'], folder)
    assert.equal(code, 0)
    assert.match(stdout, /^address {2,}\d+ in 1m {2,}per address, without static files$/m)
    assert.match(stdout, /^static {2,}\d+ in 1m {2,}per address, static files only$/m)
    assert.match(stdout, /^shop {2,}burst 50, full again in 5s +per header x-shop$/m)
    assert.match(stdout, /^route \/search {2,}5 in 1m +per address$/m)
    assert.doesNotMatch(stdout, /^login/m)
    assert.match(stdout, /postern limits show KEY/)
    const { limits } = JSON.parse((await cli(['limits', 'show', '--json'], folder)).stdout) as {
      readonly limits: readonly { readonly name: string }[]
    }
    assert.deepEqual(
      limits.map(({ name }) => name),
      ['address', 'busy', 'static', 'shop', 'route /search'],
    )
  })
})

describe('limits as they are configured', { timeout: 120_000 }, () => {
  for (const workers of ['1', '2'])
    test(`one key gets a rule of its own while ${workers} worker(s) run, and loses it again`, async () => {
      const folder = newFolder()
      writeFileSync(
        join(folder, 'postern.config.yaml'),
        'trustProxies: [loopback]\nlimits: { shop: { limit: 2/1h, key: { header: x-shop }, overrides: true } }\n',
      )
      const backend = await startBackend()
      const gateway = await startGatewayProcess(['--to', backend.url, '--workers', workers], folder)
      const ask = async (shop: string): Promise<number> =>
        (await fetch(gateway.url, { headers: { 'x-shop': shop, 'x-forwarded-for': '203.0.113.9' } })).status
      try {
        assert.deepEqual([await ask('acme'), await ask('acme'), await ask('acme')], [200, 200, 429])
        assert.equal((await cli(['limits', 'set', 'shop', 'acme', '500/1h'], folder)).code, 0)
        await until(async () => (await ask('acme')) === 200)
        assert.deepEqual([await ask('other'), await ask('other'), await ask('other')], [200, 200, 429])
        const shown = await cli(['limits', 'show', 'acme', '--json'], folder)
        assert.match(shown.stdout, /"name":"shop","kind":"window","limit":500/)
        assert.match((await cli(['limits', 'list'], folder)).stdout, /shop +acme +500\/1h/)
        assert.equal((await cli(['limits', 'unset', 'shop', 'acme'], folder)).code, 0)
        assert.equal((await cli(['limits', 'unset', 'shop', 'acme'], folder)).code, 1)
      } finally {
        await gateway.stop()
        await backend.close()
      }
    })

  test('a limit that says nothing of overrides has none, and a rule must be one', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.yaml'), 'limits: { shop: { limit: 2/1h, overrides: true } }\n')
    const refused = await cli(['limits', 'set', 'address', '203.0.113.9', '5/1m'], folder)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /limits\.address: has one rule for everybody/)
    assert.equal((await cli(['limits', 'set', 'shop', 'acme', 'plenty'], folder)).code, 2)
  })

  test('too much at once sheds what matters least first', () =>
    withLayer(
      {
        shed: {
          limit: 4,
          critical: ['/health'],
          sheddable: ['/export'],
          shares: { default: 0.5, sheddable: 0.25 },
        },
      },
      async layer => {
        let open = (): void => {}
        const gate = new Promise<void>(resolve => {
          open = resolve
        })
        const handle = layer.fetch(
          async () => {
            await gate
            return new Response('ok')
          },
          { peer: () => '203.0.113.9' },
        )
        const ask = async (path: string): Promise<number> =>
          read(await handle(new Request(`http://shop.example${path}`)))
        const held = [ask('/a'), ask('/b')]
        assert.equal(await ask('/export'), 503)
        assert.equal(await ask('/c'), 503)
        held.push(ask('/health'), ask('/health'))
        assert.equal(await ask('/health'), 503)
        open()
        assert.deepEqual(await Promise.all(held), [200, 200, 200, 200])
        assert.equal(await ask('/export'), 200)
      },
    ))

  test('an adaptive limit lets ordinary traffic pass', () =>
    withLayer({ shed: { limit: 'adaptive' } }, async layer => {
      const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
      for (let i = 0; i < 200; i++)
        assert.equal(await read(await handle(new Request('http://shop.example/'))), 200)
    }))

  test('renewing and ending a session does not count as a login, and everything else under /auth does', () =>
    withLayer({}, async layer => {
      const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
      const ask = async (path: string): Promise<number> =>
        read(await handle(new Request(`http://shop.example${path}`, { method: 'POST' })))
      for (const path of ['/auth/refresh', '/api/auth/refresh-token', '/auth/token/refresh', '/auth/logout'])
        for (let i = 0; i < 30; i++) assert.equal(await ask(path), 200)
      for (let i = 0; i < 20; i++) assert.equal(await ask('/auth/login'), 200)
      for (const path of ['/auth/login', '/auth/login.php/refresh', '/auth/x/logout', '/login/refresh'])
        assert.equal(await ask(path), 429, path)
      assert.equal(await ask('/auth/refresh'), 200)
    }))

  for (const path of [
    '/accounts/login/',
    '/user/login',
    '/Identity/Account/Login',
    '/api/token/',
    '/connect/token',
    '/users/sign_in.json',
    '/j_spring_security_check',
  ])
    test(`guesses at ${path} are slowed down before anybody configured anything`, () =>
      withLayer({}, async layer => {
        const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
        const ask = async (method: string): Promise<number> =>
          read(await handle(new Request(`http://shop.example${path}`, { method })))
        for (let i = 0; i < 20; i++) assert.equal(await ask('POST'), 200)
        assert.equal(await ask('POST'), 429)
        assert.equal(await ask('GET'), 200)
      }))

  test('answers tell of limits as the configuration says', () =>
    withLayer({ rateLimitHeaders: 'legacy' }, async layer => {
      const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
      const { headers } = await handle(new Request('http://shop.example/'))
      assert.match(headers.get('x-ratelimit-limit') ?? '', /^\d+$/)
      assert.equal(headers.get('ratelimit'), null)
    }))
})
