import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { SqliteTraffic } from '@postern/console'
import { systemClock } from '@postern/core'
import { replayEngine } from '@postern/runtime'
import { until } from '../../../test/until.ts'
import { joinedResults } from '../src/preview/preview-count.ts'
import { PreviewInThread } from '../src/preview/preview-in-thread.ts'
import { previewRun } from '../src/preview/preview-run.ts'

async function keptTraffic(directory: string, count: number): Promise<SqliteTraffic> {
  const traffic = SqliteTraffic.open({ directory, keep: 1e15, maxSize: 1e15 })
  await traffic.write(
    Array.from({ length: count }, (_, i) => ({
      event: {
        type: 'http',
        time: 1_000_000 + i * 1_000,
        actor: { address: `192.0.2.${i % 60}`, ...(i % 3 === 0 && { principal: `user${i % 20}` }) },
        request: {
          id: `b${String(i).padStart(19, '0')}`,
          method: 'GET',
          host: 'shop.example',
          path: `/items/${i}`,
          query: '',
        },
        decision: 'allow' as const,
      },
      weight: 1,
      guardTimes: undefined,
    })),
    [],
  )
  return traffic
}

test('a preview in parts finds what a preview of all finds, each actor in one part', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-preview-'))
  const traffic = await keptTraffic(folder, 600)
  t.after(async () => {
    await traffic.close()
    rmSync(folder, { recursive: true })
  })
  const load = (config: object): ReturnType<typeof loadConfig> =>
    loadConfig({ path: undefined, config, folder, environment: {} })
  const [before, after] = [await load({}), await load({ block: ['192.0.2.0/28'] })]
  const run = (share?: { readonly index: number; readonly of: number }): ReturnType<typeof previewRun> =>
    previewRun({
      traffic,
      before: replayEngine(before),
      after: replayEngine(after),
      from: 0,
      share,
      onProgress: () => undefined,
    })
  const whole = await run()
  const parts = [
    await run({ index: 0, of: 3 }),
    await run({ index: 1, of: 3 }),
    await run({ index: 2, of: 3 }),
  ]
  assert.ok(parts.every(({ requests }) => requests > 0 && requests < 600))
  assert.equal(whole.refusedAfter, 160)
  const joined = joinedResults(parts)
  const byValue = (result: typeof whole): readonly string[] =>
    result.newlyRefused.map(({ kind, value, requests }) => `${kind} ${value} ${requests}`).sort()
  assert.deepEqual(byValue(joined), byValue(whole))
  assert.deepEqual(
    [joined.requests, joined.refusedBefore, joined.refusedAfter],
    [whole.requests, whole.refusedBefore, whole.refusedAfter],
  )
})

test('a preview runs in threads, says how far it is, and ends when it is cancelled or cannot be read', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-preview-'))
  const traffic = await keptTraffic(folder, 300)
  await traffic.close()
  const job = new PreviewInThread(
    () => ({
      file: undefined,
      folder,
      overrides: {},
      traffic: { directory: folder },
      path: join(folder, 'postern.config.yaml'),
    }),
    systemClock,
    2,
  )
  t.after(() => {
    job.cancel()
    rmSync(folder, { recursive: true })
  })
  job.start('block: [192.0.2.0/28]\n', 0)
  assert.equal(job.state().state, 'running')
  await until(() => job.state().state !== 'running')
  const state = job.state()
  assert.equal(state.state, 'done', JSON.stringify(state))
  assert.equal(state.state === 'done' && state.result.requests, 300)
  job.start('block: [nonsense]\n', 0)
  await until(() => job.state().state !== 'running')
  assert.equal(job.state().state, 'failed')
  job.start('mode: enforce\n', 0)
  job.cancel()
  assert.deepEqual(job.state(), { state: 'none' })
})
