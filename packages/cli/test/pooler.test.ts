import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startPgbouncer } from '../../../test/pgbouncer-server.ts'
import { freshDatabase, services } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { startBackend } from './backend.ts'
import { cli, startGatewayProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-pooler-'))
after(() => rmSync(folder, { recursive: true, force: true }))

for (const mode of ['transaction', 'session'] as const)
  test(`a gateway behind PgBouncer (a session for each ${mode}) obeys a ban of another process soon`, {
    timeout: 120_000,
  }, async t => {
    await services()
    const pooler = await startPgbouncer(await freshDatabase(t), mode)
    t.after(() => pooler.stop())
    const backend = await startBackend()
    t.after(() => backend.close())
    const file = join(folder, `${mode}.yaml`)
    writeFileSync(
      file,
      `stores: { postgres: "${pooler.url}", limits: postgres }\ntrustProxies: [127.0.0.1/32]\n`,
    )
    const place = ['--config', file, '--data', join(folder, mode)]
    const gateway = await startGatewayProcess([...place, '--to', backend.url], folder)
    t.after(() => gateway.stop())
    const ask = async (): Promise<number> =>
      (await fetch(gateway.url, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status
    assert.equal(await ask(), 200)
    const banned = await cli(['ban', '203.0.113.9', ...place], folder)
    assert.equal(banned.code, 0, banned.stderr)
    const since = performance.now()
    await until(async () => (await ask()) === 403)
    // Without a delivered notification it is read each second; the reconciliation would come after thirty.
    assert.ok(performance.now() - since < 15_000)
    assert.equal((await fetch(`${gateway.admin}/readyz`)).status, 200)
  })
