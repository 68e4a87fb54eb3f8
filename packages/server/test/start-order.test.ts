import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { startWorkers } from '@postern/gateway'
import { PortInUse } from '@postern/runtime'
import { overridden } from '../src/plan/overridden.ts'
import type { WorkerPlan } from '../src/plan/worker-plan.ts'
import { serve } from '../src/serve.ts'

test('a gateway has its port before it makes keys, opens stores, migrates or recovers', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-order-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const overrides = { upstream: 'http://127.0.0.1:9', listen: `127.0.0.1:${port}`, workers: 1 }
  const loaded = overridden(await loadConfig({ folder, environment: {} }), overrides, {})
  const dataDirectory = join(folder, 'data')
  await assert.rejects(serve({ loaded, overrides, dataDirectory }), PortInUse)
  assert.equal(existsSync(dataDirectory), false, 'nothing was opened before the port')
})

test('a worker has its port before it reads the configuration and loads what answers there', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-order-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'postern.config.json')
  writeFileSync(file, '{ "nothing": "known" }')
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const plan: WorkerPlan = {
    ...{
      file,
      text: undefined,
      folder,
      port,
      host: '127.0.0.1',
      overrides: {},
      dataDirectory: join(folder, 'data'),
    },
    ...{ limits: new SharedArrayBuffer(0), secret: new Uint8Array(32) },
  }
  const starting = startWorkers({
    count: 1,
    entry: new URL('../src/worker/gateway-worker.ts', import.meta.url),
    workerData: plan,
  })
  await assert.rejects(starting, /EADDRINUSE/)
})
