import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { until } from '../../../test/until.ts'
import { type Backend, startBackend } from './backend.ts'
import { cli, cliProcess, type GatewayProcess, startGatewayProcess } from './cli.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-gateway-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

interface Setting {
  readonly folder: string
  readonly backend: Backend
  readonly gateway: GatewayProcess
}

async function withGateway(
  args: readonly string[],
  config: string | undefined,
  work: (setting: Setting) => Promise<void>,
): Promise<void> {
  const folder = newFolder()
  if (config !== undefined) writeFileSync(join(folder, 'postern.config.yaml'), config)
  const backend = await startBackend()
  try {
    const gateway = await startGatewayProcess(['--to', backend.url, ...args], folder)
    try {
      await work({ folder, backend, gateway })
    } finally {
      await gateway.stop()
    }
  } finally {
    await backend.close()
  }
}

/** Asks as a client elsewhere would: the gateway trusts loopback as a proxy. */
const FROM = '203.0.113.9'
const TRUSTING = 'trustProxies: [loopback]\n'
const from = (address: string): RequestInit => ({ headers: { 'x-forwarded-for': address } })

/** Asks until the answer is the wanted one. @returns how many milliseconds that took */
async function untilAnswered(status: number, url: string, init?: RequestInit): Promise<number> {
  const started = performance.now()
  await until(async () => {
    const response = await fetch(url, init)
    await response.arrayBuffer()
    return response.status === status
  })
  return performance.now() - started
}

for (const workers of ['1', '2']) {
  describe(`a running gateway with ${workers} worker(s)`, { timeout: 180_000 }, () => {
    test('passes ordinary requests, refuses attacks before the backend sees them, and explains why', () =>
      withGateway(['--workers', workers], undefined, async ({ folder, backend, gateway }) => {
        assert.equal(await (await fetch(`${gateway.url}/a`)).text(), 'hello')
        const refused = await fetch(`${gateway.url}/b?q=%3Cscript%3Ealert(1)%3C/script%3E`)
        assert.equal(refused.status, 403)
        assert.deepEqual(backend.seen, ['GET /a'])
        const id = refused.headers.get('x-request-id') ?? ''
        const explained = await cli(['explain', id, '--json'], folder)
        assert.equal(explained.code, 0)
        const { entries } = JSON.parse(explained.stdout) as {
          readonly entries: readonly {
            readonly event: {
              readonly reasons: readonly { readonly rule: string; readonly exception: unknown }[]
            }
          }[]
        }
        assert.equal(entries.length, 1)
        assert.match(entries[0]?.event.reasons[0]?.rule ?? '', /^inspect\/xss\//)
        assert.match(JSON.stringify(entries[0]?.event.reasons[0]?.exception), /query\.q/)
        const people = await cli(['explain', id], folder)
        assert.match(people.stdout, /where {5}query\.q/)
        assert.match(people.stdout, /to let it pass, and nothing else:/)
      }))

    test('obeys a ban from another process, and its end', () =>
      withGateway(['--workers', workers], TRUSTING, async ({ folder, gateway }) => {
        assert.equal((await fetch(gateway.url, from(FROM))).status, 200)
        assert.equal((await cli(['ban', FROM, '--for', '1h'], folder)).code, 0)
        await untilAnswered(403, gateway.url, from(FROM))
        assert.equal((await fetch(gateway.url, from('198.51.100.1'))).status, 200)
        assert.equal((await cli(['unban', FROM], folder)).code, 0)
        await untilAnswered(200, gateway.url, from(FROM))
      }))

    test('holds a limit exactly, shows what is left of it, and forgets it on request', () =>
      withGateway(
        ['--workers', workers],
        `${TRUSTING}limits: { address: 10/1h }\n`,
        async ({ folder, gateway }) => {
          const statuses = await Promise.all(
            Array.from({ length: 30 }, async () => (await fetch(gateway.url, from(FROM))).status),
          )
          assert.equal(statuses.filter(status => status === 200).length, 10)
          const other = from('203.0.113.77')
          for (let i = 0; i < 10; i++) await (await fetch(gateway.url, other)).arrayBuffer()
          const refused = await fetch(gateway.url, other)
          assert.equal(refused.status, 429)
          const why = await cli(['explain', refused.headers.get('x-request-id') ?? ''], folder)
          assert.equal(why.stdout.split('rule      limit/address').length, 2, why.stdout)
          assert.match(why.stdout, /answer {4}429 .*\n[\s\S]*entries {3}\d+, \d+ of the audit log/)
          const shown = await cli(['limits', 'show', FROM, '--json'], folder)
          const { limits } = JSON.parse(shown.stdout) as {
            readonly limits: readonly { readonly name: string; readonly remaining: number }[]
          }
          assert.equal(limits.find(limit => limit.name === 'address')?.remaining, 0)
          assert.equal((await cli(['limits', 'reset', FROM], folder)).code, 0)
          assert.equal((await fetch(gateway.url, from(FROM))).status, 200)
        },
      ))

    test('takes a changed configuration, and keeps the old one when the new one is broken', () =>
      withGateway(['--workers', workers], TRUSTING, async ({ folder, gateway }) => {
        const path = join(folder, 'postern.config.yaml')
        writeFileSync(path, `${TRUSTING}routes: { /closed: { methods: [POST] } }\n`)
        gateway.signal('SIGHUP')
        await gateway.says(/configuration reloaded/)
        assert.equal((await fetch(`${gateway.url}/closed`)).status, 405)
        writeFileSync(path, 'rotes: {}\n')
        gateway.signal('SIGHUP')
        await gateway.says(
          /the old one stays in force:\npostern\.config\.yaml:1: rotes: unknown key "rotes" \(did you mean "routes"\?\)/,
        )
        assert.equal((await fetch(`${gateway.url}/closed`)).status, 405)
      }))
  })
}

describe('a running gateway', { timeout: 180_000 }, () => {
  test('takes a configuration whose file changed, by itself', () =>
    withGateway([], TRUSTING, async ({ folder, gateway }) => {
      writeFileSync(
        join(folder, 'postern.config.yaml'),
        `${TRUSTING}routes: { /closed: { methods: [POST] } }\n`,
      )
      await gateway.says(/configuration reloaded/)
      assert.equal((await fetch(`${gateway.url}/closed`)).status, 405)
    }))

  test('only reports in observe mode what it would have refused', () =>
    withGateway(['--observe'], undefined, async ({ folder, gateway }) => {
      const response = await fetch(`${gateway.url}/?q=%3Cscript%3Ealert(1)%3C/script%3E`)
      assert.equal(response.status, 200)
      const { stdout } = await cli(['explain', response.headers.get('x-request-id') ?? ''], folder)
      assert.match(stdout, /would deny if it were enforced/)
    }))

  test('answers operators on its admin listener only, by address only, and commands with the token only', () =>
    withGateway([], undefined, async ({ gateway }) => {
      assert.equal((await fetch(`${gateway.admin}/healthz`)).status, 200)
      assert.equal((await fetch(`${gateway.admin}/readyz`)).status, 200)
      await fetch(`${gateway.url}/secret-path?q=%3Cscript%3Ealert(1)%3C/script%3E`)
      const metrics = await (await fetch(`${gateway.admin}/metrics`)).text()
      assert.match(metrics, /postern_refusals_total\{rule="inspect\/xss\/[\w-]+",route="",mode="enforce"\} 1/)
      assert.doesNotMatch(metrics, /secret-path|127\.0\.0\.1/)
      const post = { method: 'POST', body: '{"key":"127.0.0.1"}' }
      assert.equal((await fetch(`${gateway.admin}/limits/reset`, post)).status, 401)
      const guessed = { ...post, headers: { authorization: 'Bearer guess' } }
      assert.equal((await fetch(`${gateway.admin}/limits/reset`, guessed)).status, 401)
    }))

  test('goes on when requests are under way, and ends with 0', async () => {
    const folder = newFolder()
    let answer = (): void => {}
    const arrived = Promise.withResolvers<void>()
    const backend = await startBackend((_request, response) => {
      answer = () => void response.end('late')
      arrived.resolve()
    })
    const gateway = await startGatewayProcess(['--to', backend.url], folder)
    const pending = fetch(gateway.url)
    await arrived.promise
    const code = gateway.stop()
    await gateway.says(/stopping/)
    answer()
    assert.equal(await (await pending).text(), 'late')
    assert.equal(await code, 0)
    await backend.close()
  })

  test('says at the start that the backend does not answer, and starts all the same', async () => {
    const gateway = await startGatewayProcess(['--to', 'http://127.0.0.1:1'], newFolder())
    await gateway.says(/http:\/\/127\.0\.0\.1:1 does not answer \(ECONNREFUSED\); start the backend/)
    assert.equal((await fetch(gateway.url)).status, 502)
    assert.equal(await gateway.stop(), 0)
  })

  test('refuses a second gateway on the same data, and names the first', async () =>
    withGateway([], undefined, async ({ folder, backend }) => {
      const { code, stderr } = await cliProcess(
        ['gateway', '--to', backend.url, '--listen', '127.0.0.1:0'],
        folder,
      )
      assert.equal(code, 3)
      assert.match(stderr, /in use by another Postern \(process \d+\)/)
    }))
})
