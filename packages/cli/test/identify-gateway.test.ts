import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { until } from '../../../test/until.ts'
import { startBackend } from './backend.ts'
import { cli, cliProcess, type GatewayProcess, startGatewayProcess } from './cli.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-identify-gateway-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** As a file beside a gateway: functions come from it into every worker. */
const CONFIG = `
import { appendFileSync } from 'node:fs'
export default {
  trustProxies: ['loopback'],
  identify: async exchange => {
    const [kind, id, tenant] = exchange.header('x-who')?.split(' ') ?? []
    return kind === undefined ? undefined : { kind, id, tenant }
  },
  limits: {
    tenant: { limit: '4/1h', key: 'tenant', overrides: true },
    mine: { limit: '3/1h', key: 'principal', routes: ['/mine'] },
    keys: { limit: '2/1h', key: 'apiKey' },
  },
  scenarios: { folders: ['rules'] },
  guards: [
    {
      name: 'own',
      failure: 'closed',
      decide: exchange =>
        exchange.path.canonical === '/.own'
          ? { effect: 'allow', answer: { status: 200, headers: ['Content-Type', 'text/plain'], body: exchange.principal.id } }
          : { effect: 'allow' },
      onAnswer: (exchange, head) => head.set('X-Own', exchange.principal.id || 'nobody'),
    },
  ],
  detectors: [
    {
      name: 'own-detector',
      observe: event =>
        event.type === 'http' && event.request.path === '/trap'
          ? [{ scenario: 'trap', title: 'Trap', severity: 'low', count: 1, requests: [], actor: { kind: 'principal', value: event.actor.principal }, respond: { measure: 'block', duration: 60_000 } }]
          : undefined,
    },
  ],
  onEvent: event => appendFileSync('events.txt', event.type + ' ' + (event.actor.principal ?? '-') + '\\n'),
}
`

const RULE = `title: Asks for many reports
name: many-reports
description: Five different reports within ten minutes.
level: medium
correlation:
  type: value_count
  rules: [report]
  group-by: [actor.key]
  timespan: 10m
  condition: { field: request.path, gte: 2 }
respond: { action: block, for: 15m, silence: 5m }
---
title: A report
name: report
logsource: { category: webserver }
detection:
  report: { cs-uri-stem|startswith: /reports/ }
  condition: report
`

interface Setting {
  readonly folder: string
  readonly gateway: GatewayProcess
  /** Asks as `KIND ID TENANT`; each connection is new, so that both workers are asked. */
  ask(who?: string, path?: string): Promise<Response>
}

async function withGateway(workers: string, work: (setting: Setting) => Promise<void>): Promise<void> {
  const folder = newFolder()
  writeFileSync(join(folder, 'postern.config.mjs'), CONFIG)
  mkdirSync(join(folder, 'rules'))
  writeFileSync(join(folder, 'rules', 'reports.yml'), RULE)
  const backend = await startBackend()
  const gateway = await startGatewayProcess(['--to', backend.url, '--workers', workers], folder)
  try {
    await work({
      folder,
      gateway,
      ask: (who, path = '/') =>
        fetch(gateway.url + path, {
          headers: { connection: 'close', ...(who !== undefined && { 'x-who': who }) },
        }),
    })
  } finally {
    await gateway.stop()
    await backend.close()
  }
}

for (const workers of ['1', '2']) {
  describe(`a gateway with ${workers} worker(s) whose file identifies`, { timeout: 120_000 }, () => {
    test('holds limits per tenant, principal and API key exactly, and rules of single tenants', () =>
      withGateway(workers, async ({ folder, ask }) => {
        const count = async (times: number, who: string, path?: string): Promise<number> => {
          const answers = await Promise.all(Array.from({ length: times }, () => ask(who, path)))
          return answers.filter(({ status }) => status === 200).length
        }
        assert.equal(await count(12, 'user ada acme'), 4)
        assert.equal(await count(12, 'user bob globex', '/mine'), 3)
        assert.equal(await count(12, 'apiKey k1'), 2)
        assert.equal((await ask()).status, 200)
        assert.equal((await cli(['limits', 'set', 'tenant', 'acme', '500/1h'], folder)).code, 0)
        await until(async () => (await ask('user ada acme')).status === 200)
      }))

    test('obeys bans of principals, tenants and keys from the command line', () =>
      withGateway(workers, async ({ folder, ask }) => {
        for (const [actor, hit, spared] of [
          ['principal:ada', 'user ada', 'user bob'],
          ['tenant:acme', 'user eve acme', 'user eve globex'],
          ['key:k1', 'apiKey k1', 'user k1'],
        ] as const) {
          assert.equal((await ask(hit)).status, 200)
          assert.equal((await cli(['ban', actor, '--for', '1h'], folder)).code, 0)
          // Bans are obeyed within a second, by one worker perhaps before the other.
          for (let refused = 0; refused < 8; ) refused = (await ask(hit)).status === 403 ? refused + 1 : 0
          assert.equal((await ask(spared)).status, 200)
          assert.equal((await ask()).status, 200)
        }
      }))

    test('runs own guards in the workers, own detectors, scenarios over keys and onEvent on the main thread', () =>
      withGateway(workers, async ({ folder, ask }) => {
        assert.equal(await (await ask('user ada', '/.own')).text(), 'ada')
        assert.equal((await ask('user ada')).headers.get('x-own'), 'ada')
        assert.equal((await ask()).headers.get('x-own'), 'nobody')
        await ask('user mallory', '/trap')
        await until(async () => (await ask('user mallory')).status === 403)
        assert.equal((await ask('user ada')).status, 200)
        await ask('apiKey k9', '/reports/1')
        await ask('apiKey k9', '/reports/2')
        await until(async () => (await ask('apiKey k9')).status === 403)
        const events = readFileSync(join(folder, 'events.txt'), 'utf8')
        assert.match(events, /^http mallory$/m)
        assert.match(events, /^finding mallory$/m)
      }))
  })
}

test('a gateway has no application that could identify later, and says so', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'postern.config.yaml'), 'identify: application\nupstream: http://127.0.0.1:9\n')
  const { code, stderr } = await cliProcess(['gateway', '--listen', '127.0.0.1:0'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /identify: "application" is for middleware/)
})
