import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { startWorkers } from '@postern/gateway'
import { sharedTable } from '@postern/throttle'
import { until } from '../../../test/until.ts'
import type { FromWorker } from '../src/plan/worker-plan.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { HandedEvents } from '../src/worker/handed-events.ts'
import { startWorkerListener } from '../src/worker/worker-listener.ts'

test('refusals that a worker had made and not handed over when it ended are counted as lost', async t => {
  const handed = new HandedEvents()
  let arrived = 0
  const lost: number[] = []
  const workers = await startWorkers({
    count: 1,
    entry: new URL('./forwarding-worker.ts', import.meta.url),
    onMessage: (data, _index, reply) => {
      const message = data as FromWorker
      handed.arrived(reply, message)
      if (message.kind !== 'events') return
      arrived += message.events.length
      reply({ kind: 'taken', batch: message.batch })
    },
    onEnd: (_index, made, reply) => lost.push(handed.ended(reply, made)),
    onNotice: () => undefined,
  })
  t.after(() => workers.close({ grace: 0 }))
  await until(() => arrived === 3)
  workers.broadcast('end')
  await until(() => lost.length === 1)
  assert.deepEqual(lost, [40])
})

test('what arrived, or was reported as lost before, is not lost; counts may wrap', () => {
  const handed = new HandedEvents()
  const thread = (): void => undefined
  const other = (): void => undefined
  const event = { event: { type: 'http', time: 1, actor: {} }, record: 'record', seen: undefined } as const
  handed.arrived(thread, { kind: 'events', batch: 0, events: [event, event], lost: 5 })
  handed.arrived(thread, { kind: 'commit', id: 1, event: event.event })
  assert.equal(handed.ended(thread, 7), 0)
  assert.equal(handed.ended(thread, 9), 2)
  assert.equal(handed.ended(other, 9), 9)
  handed.arrived(other, { kind: 'events', batch: 0, events: [], lost: 2 ** 31 - 1 })
  assert.equal(handed.ended(other, -(2 ** 31)), 1)
})

test('a start that fails ends its workers with its reason, and with nothing that nobody caught', async t => {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const runtime = Promise.withResolvers<never>()
  runtime.promise.catch(() => undefined)
  const listen = { host: '127.0.0.1', port: 0 }
  const started = startWorkerListener({
    gateway: { upstream: 'http://127.0.0.1:1', listen, timeouts: {}, limits: {}, keepHeaders: [] },
    plan: {
      text: undefined,
      file: undefined,
      folder: tmpdir(),
      overrides: {},
      dataDirectory: tmpdir(),
      limits: sharedTable({ slots: 64 }),
      secret: new Uint8Array(32),
    },
    count: 1,
    runtime: runtime.promise,
    metrics: new Metrics(),
  })
  runtime.reject(new Error('the store is away'))
  await assert.rejects(started, /the store is away/)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(uncaught, [])
})
