import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Event, Health } from '@postern/core'
import { startPostgres, startRedis } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

async function layerOf(
  t: TestContext,
  config: Config,
  prepare: (folder: string) => void = () => {},
): Promise<{ layer: Postern; data: string; seen: Event[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-stores-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  prepare(folder)
  const data = join(folder, 'data')
  const seen: Event[] = []
  const layer = await postern({
    folder,
    config: { dataDirectory: data, ...config },
    onEvent: event => void seen.push(event),
    log: 'none',
  })
  t.after(() => layer.close())
  assert.equal(part(layer, 'data directory')?.ok, true)
  return { layer, data, seen }
}

function part(layer: Postern, name: string): Health | undefined {
  return layer.health().find(one => one.name === name)
}

const LOSSES: Readonly<Record<string, (data: string) => void>> = {
  'is deleted': data => rmSync(data, { recursive: true }),
  'is emptied': data => {
    for (const name of ['audit', 'postern.db', 'postern-data.json'])
      rmSync(join(data, name), { recursive: true })
  },
  'is replaced by another one': data => {
    renameSync(data, `${data}-old`)
    mkdirSync(data)
  },
  'loses its log': data => rmSync(join(data, 'audit'), { recursive: true }),
  'loses its database': data => rmSync(join(data, 'postern.db')),
}

for (const [name, lose] of Object.entries(LOSSES))
  test(`a running process whose data directory ${name} is not ready, and says so once`, async t => {
    const { layer, data, seen } = await layerOf(t, {})
    lose(data)
    await until(() => part(layer, 'data directory')?.ok === false)
    const lost = part(layer, 'data directory')
    assert.equal(lost?.required, true)
    assert.match(
      lost?.detail ?? '',
      /was (?:deleted|replaced) while in use, and nothing more is kept; restart/,
    )
    assert.equal(seen.filter(({ type }) => type === 'store.failed').length, 1)
  })

for (const failure of ['local', 'closed'] as const)
  test(`Redis that goes away shows in health, also where nothing but budgets uses it (${failure})`, async t => {
    const password = 'readiness-of-a-test'
    const server = await startRedis({ password })
    t.after(() => server.stop())
    const stores = { redis: server.url, limits: 'memory' as const, failure }
    const { layer, seen } = await layerOf(t, { stores })
    await until(() => part(layer, 'redis')?.ok === true)
    await server.stop()
    await until(() => part(layer, 'redis')?.ok === false)
    assert.equal(part(layer, 'redis')?.required, failure === 'closed')
    await until(() => seen.some(({ type }) => type === 'store.failed'))
    const again = await startRedis({ password, port: server.port })
    t.after(() => again.stop())
    await until(() => part(layer, 'redis')?.ok === true)
  })

test('PostgreSQL that goes away under built-in identity makes the process not ready, as at a start', async t => {
  const server = await startPostgres()
  t.after(() => server.stop())
  const { layer } = await layerOf(
    t,
    {
      stores: { postgres: server.url },
      identity: { origin: 'http://localhost:8080', secretFile: 'identity.secret' },
    },
    folder => writeFileSync(join(folder, 'identity.secret'), '5c'.repeat(32)),
  )
  await until(() => part(layer, 'postgres')?.ok === true)
  await server.stop()
  await until(() => part(layer, 'postgres')?.ok === false)
  assert.equal(part(layer, 'postgres')?.required, true)
})
