import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { until } from '../../../test/until.ts'
import { startBackend } from '../../cli/test/backend.ts'
import { cli, startGatewayProcess } from '../../cli/test/cli.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-detect-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function withLayer(
  config: Config,
  work: (layer: Postern) => Promise<void>,
  folder: string = newFolder(),
): Promise<void> {
  const layer = await postern({ folder, config })
  try {
    await work(layer)
  } finally {
    await layer.close()
  }
}

async function status(layer: Postern, path: string, peer = '203.0.113.9'): Promise<number> {
  const handle = layer.fetch(() => new Response('ok'), { peer: () => peer })
  const response = await handle(new Request(`http://shop.example${path}`))
  await response.arrayBuffer()
  return response.status
}

/** Looks again until it holds; the test's own time limit ends it. */
describe('parameters of routes', { timeout: 120_000 }, () => {
  test('are learned by a running gateway, proposed for review, and enforced', async () => {
    const folder = newFolder()
    const file = join(folder, 'postern.config.yaml')
    writeFileSync(file, 'schema: { learn: true }\nroutes: { /search: {} }\n')
    const backend = await startBackend()
    const gateway = await startGatewayProcess(['--to', backend.url], folder)
    try {
      const none = await cli(['parameters', 'propose'], folder)
      assert.deepEqual([none.code, none.stdout], [1, '{}\n'])
      for (const page of [1, 2, 3]) await (await fetch(`${gateway.url}/search?page=${page}`)).text()
      const proposed = await cli(['parameters', 'propose', '--samples', '3'], folder)
      assert.equal(proposed.code, 0, proposed.stderr)
      assert.match(proposed.stdout, /"GET \/search"/)
      writeFileSync(join(folder, 'schema.json'), proposed.stdout)
      writeFileSync(file, 'schema: { enforce: schema.json }\nroutes: { /search: {} }\n')
      gateway.signal('SIGHUP')
      await gateway.says(/configuration reloaded/)
      assert.equal((await fetch(`${gateway.url}/search?page=4`)).status, 200)
      assert.equal((await fetch(`${gateway.url}/search?page=4&debug=1`)).status, 400)
    } finally {
      await gateway.stop()
      await backend.close()
    }
  })

  test('are learned by several workers together, survive a restart and a kill, and can be forgotten', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      'schema: { learn: true }\nworkers: 2\nroutes: { /search: {} }\n',
    )
    const backend = await startBackend()
    const ask = async (url: string, query: string): Promise<void> => {
      // A connection each, so that both workers get some.
      const init = { headers: { connection: 'close' } }
      for (let page = 1; page <= 10; page++)
        await (await fetch(`${url}/search?${query}=${page}`, init)).text()
    }
    const learned = async (samples: number): Promise<string> =>
      (await cli(['parameters', 'propose', '--samples', String(samples)], folder)).stdout
    try {
      const first = await startGatewayProcess(['--to', backend.url], folder)
      await ask(first.url, 'page')
      assert.equal(await first.stop(), 0)
      assert.match(await learned(10), /"page"/)

      const second = await startGatewayProcess(['--to', backend.url], folder)
      await ask(second.url, 'sort')
      await until(async () => (await learned(20)).includes('"sort"'))
      second.signal('SIGKILL')
      await assert.rejects(second.says(/never/))
      const both = JSON.parse(await learned(20)) as Record<string, { readonly query: object }>
      assert.deepEqual(Object.keys(both['GET /search']?.query ?? {}), ['page', 'sort'])

      assert.equal((await cli(['parameters', 'forget', 'GET /search'], folder)).code, 0)
      assert.equal(await learned(1), '{}\n')
      assert.equal((await cli(['parameters', 'forget'], folder)).code, 1)
    } finally {
      await backend.close()
    }
  })

  test('cannot be enforced from a file that is not there', async () => {
    await assert.rejects(
      withLayer({ schema: { enforce: 'absent.json' } }, async () => {}),
      (error: unknown) => error instanceof ConfigError && /postern parameters propose/.test(error.message),
    )
  })
})

describe('rules of others', { timeout: 60_000 }, () => {
  const DATADOG = {
    version: '2.2',
    rules: [
      {
        id: 'probe-1',
        name: 'probe',
        tags: { type: 'lfi', category: 'attack_attempt', confidence: '1' },
        conditions: [
          {
            operator: 'phrase_match',
            parameters: { inputs: [{ address: 'server.request.query' }], list: ['zebra-probe'] },
          },
        ],
        transformers: [],
      },
    ],
  }

  test('are read from SecLang files and from the dd-trace of the application', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'own.conf'),
      'SecRule ARGS "@rx giraffe\\d" "id:1001,phase:2,deny,severity:CRITICAL"\n',
    )
    const package_ = join(folder, 'node_modules/dd-trace/packages/dd-trace/src/appsec')
    mkdirSync(package_, { recursive: true })
    writeFileSync(join(folder, 'node_modules/dd-trace/package.json'), '{"name":"dd-trace"}')
    writeFileSync(join(package_, 'recommended.json'), JSON.stringify(DATADOG))
    await withLayer(
      { inspect: { rules: { seclang: ['own.conf'], ddtrace: true } } },
      async layer => {
        assert.equal(await status(layer, '/?q=giraffe'), 200)
        assert.equal(await status(layer, '/?q=giraffe7'), 403)
        assert.equal(await status(layer, '/?q=zebra-probe'), 403)
      },
      folder,
    )
  })

  test('answer as a second opinion through native-appsec of the application', async () => {
    const folder = newFolder()
    const native = join(folder, 'node_modules/@datadog/native-appsec')
    mkdirSync(native, { recursive: true })
    writeFileSync(join(native, 'package.json'), '{"name":"@datadog/native-appsec","main":"index.js"}')
    writeFileSync(
      join(native, 'index.js'),
      `module.exports.DDWAF = class {
        createContext() {
          return {
            run: ({ persistent }) =>
              JSON.stringify(persistent).includes('okapi') ? { events: [{ rule: { id: 'okapi' } }] } : { timeout: false },
            dispose() {},
          }
        }
      }`,
    )
    writeFileSync(join(folder, 'rules.json'), JSON.stringify(DATADOG))
    await withLayer(
      { inspect: { secondOpinion: 'native-appsec', rules: { ddtrace: 'rules.json' } } },
      async layer => {
        assert.equal(await status(layer, '/?q=horse'), 200)
        assert.equal(await status(layer, '/?q=okapi'), 403)
      },
      folder,
    )
  })

  test('that are absent or not understood stop the start, with what to do', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'chain.conf'), 'SecRule ARGS "@ipMatch 1.2.3.4" "id:3,phase:2"\n')
    for (const [inspect, problem] of [
      [{ rules: { ddtrace: true } }, /needs dd-trace, which is not installed \(npm install dd-trace\)/],
      [{ rules: { seclang: ['absent.conf'] } }, /absent\.conf does not exist/],
      [{ rules: { seclang: ['chain.conf'] } }, /ipMatch/],
      [{ secondOpinion: 'native-appsec' }, /npm install @datadog\/native-appsec/],
    ] as const)
      await assert.rejects(
        withLayer({ inspect }, async () => {}, folder),
        (error: unknown) => error instanceof ConfigError && problem.test(error.message),
      )
    await withLayer(
      { inspect: { rules: { seclang: ['chain.conf'], unsupported: 'skip' } } },
      async layer => assert.equal(await status(layer, '/'), 200),
      folder,
    )
  })
})

describe('measures beyond this process', { timeout: 120_000 }, () => {
  test('reach nftables', async () => {
    const folder = newFolder()
    const script = join(folder, 'nft')
    writeFileSync(script, '#!/bin/sh\ncat > nft.script.new && mv nft.script.new nft.script\n')
    chmodSync(script, 0o700)
    writeFileSync(join(folder, 'postern.config.yaml'), 'remediations: { nftables: { table: shop } }\n')
    const backend = await startBackend()
    const PATH = `${folder}${delimiter}${process.env['PATH'] ?? ''}`
    const gateway = await startGatewayProcess(['--to', backend.url], folder, { PATH })
    try {
      assert.equal((await cli(['ban', '203.0.113.77', '--for', '1h'], folder)).code, 0)
      const applied = join(folder, 'nft.script')
      await until(
        () =>
          existsSync(applied) &&
          /add element inet shop blocked4 \{ 203\.0\.113\.77/.test(readFileSync(applied, 'utf8')),
      )
      assert.match(await (await fetch(`${gateway.admin}/readyz`)).text(), /"name":"nftables","ok":true/)
    } finally {
      await gateway.stop()
      await backend.close()
    }
  })

  test('reach a list at Cloudflare, and a dead Cloudflare blocks nothing but shows in readiness', async () => {
    const added: string[] = []
    const cloudflare = await startBackend((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const isRight = request.headers.authorization === 'Bearer good'
        const body = Buffer.concat(chunks).toString()
        if (request.method === 'POST') added.push(...addressesIn(body))
        const result = request.url?.includes('/bulk_operations/')
          ? { status: 'completed' }
          : request.method === 'GET'
            ? []
            : { operation_id: 'op1' }
        response.setHeader('content-type', 'application/json')
        response.statusCode = isRight ? 200 : 403
        response.end(JSON.stringify({ success: isRight, errors: [], result }))
      })
    })
    const target = { account: 'a'.repeat(32), list: 'b'.repeat(32), api: cloudflare.url, every: '1s' }
    try {
      await withLayer({ remediations: { cloudflare: { ...target, token: 'good' } } }, async layer => {
        await layer.remediations.add({
          actor: { kind: 'address', value: '203.0.113.78' },
          for: '1h',
          reason: 'test',
        })
        await until(() => added.includes('203.0.113.78'))
      })
      await withLayer({ remediations: { cloudflare: { ...target, token: 'bad' } } }, async layer => {
        await until(() => layer.health().some(({ name, ok }) => name === 'cloudflare' && !ok))
        assert.equal(await status(layer, '/'), 200)
      })
    } finally {
      await cloudflare.close()
    }
  })

  test('come from a CrowdSec that is named in the configuration', async () => {
    const decision = {
      id: 1,
      origin: 'cscli',
      type: 'ban',
      scope: 'Ip',
      value: '203.0.113.79',
      duration: '1h0m0s',
      scenario: 'test',
    }
    const crowdsec = await startBackend((request, response) => {
      const isRight = request.headers['x-api-key'] === 'bouncer-key'
      response.setHeader('content-type', 'application/json')
      response.statusCode = isRight ? 200 : 403
      response.end(JSON.stringify({ new: [decision], deleted: [] }))
    })
    try {
      await withLayer({ crowdsec: { feed: { url: crowdsec.url, key: 'bouncer-key' } } }, async layer => {
        await until(async () => (await status(layer, '/', '203.0.113.79')) === 403)
        assert.equal(await status(layer, '/', '203.0.113.80'), 200)
      })
      assert.match(crowdsec.seen[0] ?? '', /^GET \/v1\/decisions\/stream\?startup=true/)
    } finally {
      await crowdsec.close()
    }
  })

  test('of a CrowdSec that refuses us are reported as missing in readiness, which stays ready', async () => {
    const crowdsec = await startBackend((_request, response) => {
      response.statusCode = 403
      response.end()
    })
    const folder = newFolder()
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `crowdsec: { feed: { url: "${crowdsec.url}", key: secret-key } }\n`,
    )
    try {
      const gateway = await startGatewayProcess(['--to', crowdsec.url], folder)
      try {
        await until(async () => (await feedOf(gateway.admin)).detail?.includes('refuses the key') === true)
        const feed = await feedOf(gateway.admin)
        assert.deepEqual([feed.ok, feed.required, feed.status], [false, false, 200])
        assert.doesNotMatch(JSON.stringify(feed), /secret-key/)
      } finally {
        await gateway.stop()
      }
    } finally {
      await crowdsec.close()
    }
  })
})

interface FeedHealth {
  readonly status: number
  readonly ok?: boolean
  readonly required?: boolean
  readonly detail?: string
}

async function feedOf(admin: string): Promise<FeedHealth> {
  const response = await fetch(`${admin}/readyz`)
  const { parts } = (await response.json()) as {
    readonly parts: readonly { readonly name: string; readonly ok: boolean; readonly required: boolean }[]
  }
  return { ...parts.find(({ name }) => name === 'crowdsec feed'), status: response.status }
}

/** The addresses of items for a list at Cloudflare. */
function addressesIn(body: string): readonly string[] {
  return (JSON.parse(body) as readonly { readonly ip: string }[]).map(({ ip }) => ip)
}
