import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { cli, cliProcess, type GatewayProcess, startGatewayProcess } from '../../cli/test/cli.ts'
import { postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-forward-auth-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function withEndpoint(
  args: readonly string[],
  work: (endpoint: GatewayProcess, folder: string) => Promise<void>,
  config?: string,
): Promise<void> {
  const folder = newFolder()
  if (config !== undefined) writeFileSync(join(folder, 'postern.config.yaml'), config)
  const endpoint = await startGatewayProcess(args, folder, {}, 'forward-auth')
  try {
    await work(endpoint, folder)
  } finally {
    assert.equal(await endpoint.stop(), 0)
  }
}

const ATTACK = '/search?q=%3Cscript%3Ealert(1)%3C/script%3E'
const nginx = (target: string): RequestInit => ({
  headers: {
    'x-original-method': 'GET',
    'x-original-uri': target,
    'x-original-host': 'shop.example',
    'x-original-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
  },
})
const traefik = (target: string): RequestInit => ({
  headers: {
    'x-forwarded-method': 'GET',
    'x-forwarded-uri': target,
    'x-forwarded-host': 'shop.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
  },
})

describe('postern forward-auth', { timeout: 120_000 }, () => {
  test('answers nginx on this machine without any configuration, and its refusals are explained', () =>
    withEndpoint(['--dialect', 'nginx'], async ({ url, admin }, folder) => {
      assert.equal((await fetch(url, nginx('/'))).status, 200)
      const refused = await fetch(url, nginx(ATTACK))
      assert.deepEqual([refused.status, refused.headers.get('x-postern-status')], [403, '403'])
      const explained = await cli(['explain', refused.headers.get('x-request-id') ?? ''], folder)
      assert.match(explained.stdout, /203\.0\.113\.9/)
      assert.match(await (await fetch(`${admin}/metrics`)).text(), /postern_requests_total/)
      const limits = await cli(['limits', 'show', '203.0.113.9', '--json'], folder)
      assert.match(limits.stdout, /"remaining":1198/)
    }))

  test('holds limits for Traefik as the configuration says, and takes a new one', () =>
    withEndpoint(
      [],
      async (endpoint, folder) => {
        const { url } = endpoint
        const ask = async (): Promise<number> => (await fetch(url, traefik('/'))).status
        assert.deepEqual([await ask(), await ask(), await ask()], [200, 200, 429])
        writeFileSync(join(folder, 'postern.config.yaml'), 'forwardAuth: { dialect: traefik }\n')
        endpoint.signal('SIGHUP')
        await endpoint.says(/configuration reloaded/)
        assert.equal(await ask(), 200)
      },
      'forwardAuth: { dialect: traefik }\nlimits: { address: 2/1h }\n',
    ))

  test('takes the prefix of Envoy off the path', () =>
    withEndpoint(
      ['--dialect', 'envoy', '--prefix', '/check'],
      async ({ url }) => {
        const from = { headers: { 'x-forwarded-for': '203.0.113.9' } }
        assert.equal((await fetch(`${url}/check/open`, from)).status, 200)
        assert.equal((await fetch(`${url}/check/closed`, from)).status, 405)
      },
      'routes: { /closed: { methods: [POST] } }\n',
    ))

  test('answers only the configured proxies', () =>
    withEndpoint(['--dialect', 'nginx', '--trust', '192.0.2.1'], async ({ url }) => {
      assert.equal((await fetch(url, nginx('/'))).status, 403)
    }))

  test('says which dialects there are when none is given', async () => {
    const { code, stderr } = await cliProcess(['forward-auth'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /forwardAuth\.?(?:dialect)?: .*\n {2}hint: .*|dialect/)
  })
})

describe('forwardAuth in code', { timeout: 60_000 }, () => {
  test('takes a prefix, and follows a reload', async () => {
    const layer = await postern({ folder: newFolder(), config: { trustProxies: ['loopback'] } })
    const server = createServer(layer.forwardAuth('envoy', { prefix: '/check' }))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const status = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/check/a`, { headers: { 'x-forwarded-for': '203.0.113.9' } }))
        .status
    try {
      assert.equal(await status(), 200)
      await layer.reload({ trustProxies: ['192.0.2.1'] })
      assert.equal(await status(), 403)
    } finally {
      server.closeAllConnections()
      server.close()
      await layer.close()
    }
  })

  test('is refused while nobody may ask', async () => {
    const layer = await postern({ folder: newFolder(), config: {} })
    try {
      assert.throws(
        () => layer.forwardAuth('nginx'),
        (error: unknown) => error instanceof ConfigError && /trustProxies: names nobody/.test(error.message),
      )
    } finally {
      await layer.close()
    }
  })
})
