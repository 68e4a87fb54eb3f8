import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../../../test/local-server.ts'
import { BareRedis, startRedis } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { postern } from '../../postern/src/index.ts'
import { type Backend, startBackend } from './backend.ts'
import { cliProcess, startCli, startGatewayProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-outage-'))
let backend: Backend
before(async () => {
  backend = await startBackend()
})
after(async () => {
  await backend.close()
  rmSync(folder, { recursive: true, force: true })
})

function configured(name: string, lines: string): readonly string[] {
  writeFileSync(join(folder, `${name}.yaml`), lines)
  return ['--config', `${name}.yaml`, '--data', join(folder, name), '--to', backend.url]
}

describe('Redis that is down at the start', { timeout: 60_000 }, () => {
  test('is reported once, the gateway serves, and obeys what is kept there when it is back', async t => {
    const port = await freePort()
    const args = configured('late', `stores: { redis: "redis://:late@127.0.0.1:${port}" }\n`)
    const gateway = await startGatewayProcess(args, folder)
    t.after(() => gateway.stop())
    assert.equal((await fetch(gateway.url)).status, 200)
    await gateway.says(/started without remediations \(redis\)/)
    const redis = await startRedis({ port, password: 'late' })
    t.after(() => redis.stop())
    await gateway.says(/"store\.back"|is in force/)
    assert.equal((gateway.output().match(/started without remediations/g) ?? []).length, 1)
    // What is said of limits is said of nothing else.
    assert.match(gateway.output(), /started without limits: .* They follow stores\.failure/)
    assert.equal((gateway.output().match(/stores\.failure/g) ?? []).length, 1)
    assert.equal((await fetch(gateway.url)).status, 200)
  })

  test('holds up nobody where the configuration says who acts, and revokes again when it is back', async t => {
    const port = await freePort()
    writeFileSync(
      join(folder, 'identified.mjs'),
      `export default {
  stores: { redis: 'redis://:late@127.0.0.1:${port}', failure: 'open' },
  identify: () => undefined,
}
`,
    )
    const args = ['--config', 'identified.mjs', '--data', join(folder, 'identified'), '--to', backend.url]
    const gateway = await startGatewayProcess(args, folder)
    t.after(() => gateway.stop())
    assert.equal((await fetch(gateway.url)).status, 200)
    const ready = async (): Promise<string> => (await fetch(`${gateway.admin}/readyz`)).text()
    assert.match(await ready(), /revocations in redis.*not read yet, and nothing is revoked until it is/)
    const redis = await startRedis({ port, password: 'late' })
    t.after(() => redis.stop())
    await until(async () => !(await ready()).includes('not read yet'))
  })

  test('with the policy "closed" requests are answered 503 until it is there', async t => {
    const port = await freePort()
    const args = configured(
      'closed',
      `stores: { redis: "redis://:late@127.0.0.1:${port}", failure: closed }\n`,
    )
    const gateway = await startGatewayProcess(args, folder)
    t.after(() => gateway.stop())
    assert.equal((await fetch(gateway.url)).status, 503)
    const redis = await startRedis({ port, password: 'late' })
    t.after(() => redis.stop())
    await until(async () => (await fetch(gateway.url)).status === 200)
  })

  test('does not reject in a process of the application', async t => {
    const port = await freePort()
    const config = { stores: { redis: `redis://127.0.0.1:${port}` }, dataDirectory: join(folder, 'inside') }
    const layer = await postern({ config, folder })
    t.after(() => layer.close())
    assert.ok(layer.health().some(({ ok, detail }) => !ok && detail?.includes('not read yet')))
  })

  test('a wrong password is not an outage: the start fails, and the process ends', async t => {
    const redis = await startRedis({ password: 'right' })
    t.after(() => redis.stop())
    const url = redis.url.replace('right', 'wrong')
    const { code, stdout, stderr } = await cliProcess(
      ['gateway', '--listen', '127.0.0.1:0', ...configured('wrong', `stores: { redis: "${url}" }\n`)],
      folder,
    )
    assert.equal(code, 3, stdout)
    assert.match(stderr, /refused the user or password/)
  })
})

test('one address of a Redis Cluster is enough', { timeout: 60_000 }, async t => {
  const node = await startRedis({ settings: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] })
  t.after(() => node.stop())
  const raw = new BareRedis(node.url)
  await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  raw.disconnect()
  const gateway = await startGatewayProcess(
    configured('cluster', `stores: { redis: "${node.url}" }\n`),
    folder,
  )
  t.after(() => gateway.stop())
  assert.equal((await fetch(gateway.url)).status, 200)
})

test('a gateway goes on when nobody reads its output any more', { timeout: 60_000 }, async t => {
  const port = await freePort()
  const child = startCli(
    ['gateway', ...configured('pipe', ''), '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'],
    folder,
  )
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const { stdout } = child
  assert.ok('destroy' in stdout && typeof stdout.destroy === 'function')
  stdout.destroy()
  for (let i = 0; i < 20; i++)
    assert.equal(
      (await fetch(`http://127.0.0.1:${port}/?q=%3Cscript%3Ealert(${i})%3C/script%3E`)).status,
      403,
    )
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  assert.equal(child.exitCode, null)
})
