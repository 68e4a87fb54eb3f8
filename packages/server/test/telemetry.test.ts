import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type Event, VirtualClock } from '@postern/core'
import { serve } from '../src/serve.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { OtlpExporter } from '../src/telemetry/otlp-exporter.ts'
import { type CollectedSpan, startCollector } from './otlp-collector.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

const request = (number: number, change: Partial<Event> = {}): Event => ({
  type: 'http',
  time: 1_700_000_000_000.25,
  actor: { address: '203.0.113.9', principal: 'secret-user', agent: 'secret-agent' },
  request: {
    id: `r${String(number).padStart(19, '0')}`,
    method: 'GET',
    host: 'secret-host',
    path: '/secret/path',
    query: 'secret=query',
    route: 'GET /items/:id',
  },
  decision: 'allow',
  outcome: { status: 200, duration: 3.5, bytes: 1, aborted: false },
  ...change,
})

function exporter(otlp: string, sample = 1): OtlpExporter {
  const metrics = new Metrics()
  return new OtlpExporter({
    settings: { otlp, headers: {}, service: 'shop', sample },
    source: { instance: 'one', version: '0.0.0' },
    clock: new VirtualClock(1_700_000_000_000),
    fetch,
    counts: () => metrics.counts(),
    readings: () => [{ name: 'postern_audit_entries', type: 'gauge', value: 7 }],
  })
}

const said = ({ attributes }: CollectedSpan): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

test('spans say how a request was decided, and nothing of whoever asked or for what', async t => {
  const collector = await startCollector(t)
  const telemetry = exporter(collector.url)
  telemetry.take(request(1))
  telemetry.take(
    request(2, {
      decision: 'deny',
      guard: 'inspect',
      reasons: [{ rule: 'sqli/union', message: 'secret', evidence: { location: 'query.q', span: 'secret' } }],
      outcome: { status: 403, duration: 1, bytes: 0, aborted: false },
      data: { traceparent: `00-${TRACE}-${PARENT}-00` },
    }),
  )
  telemetry.take({ type: 'finding', time: 0, actor: {} })
  await telemetry.close()
  assert.deepEqual(collector.faults, [])
  const [plain, refused] = collector.spans
  assert.ok(plain !== undefined && refused !== undefined)
  assert.equal(collector.spans.length, 2)
  assert.deepEqual(
    [plain.name, plain.kind, plain.startTimeUnixNano, plain.endTimeUnixNano],
    ['GET /items/:id', 2, '1700000000000250000', '1700000000003750000'],
  )
  assert.deepEqual([refused.traceId, refused.parentSpanId], [TRACE, PARENT])
  assert.deepEqual(said(refused), {
    'http.request.method': 'GET',
    'http.response.status_code': '403',
    'http.route': '/items/:id',
    'postern.request_id': 'r0000000000000000002',
    'postern.decision': 'deny',
    'postern.guard': 'inspect',
    'postern.rule': 'sqli/union',
  })
  assert.doesNotMatch(collector.bodies.join(''), /secret|203\.0\.113/)
  const kinds = [...collector.metrics].map(([name, metric]) => [name, Object.keys(metric).at(-1)])
  assert.deepEqual(kinds, [
    ['postern_audit_entries', 'gauge'],
    ['postern_spans_lost_total', 'sum'],
    ['postern_request_duration_seconds', 'histogram'],
  ])
})

test("a caller's choice is kept, traces that begin here are sampled, refusals always sent", async t => {
  const collector = await startCollector(t)
  const telemetry = exporter(collector.url, 0)
  telemetry.take(request(1))
  telemetry.take(request(2, { data: { traceparent: `00-${TRACE}-${PARENT}-00` } }))
  telemetry.take(request(3, { data: { traceparent: `00-${TRACE}-${PARENT}-01` } }))
  telemetry.take(request(4, { observed: 'deny' }))
  await telemetry.close()
  const ids = collector.spans.map(span => String(said(span)['postern.request_id']).slice(-1))
  assert.deepEqual(ids, ['3', '4'])
})

test('what finds no room, or is not taken, is counted, and nothing a collector says is shown', async t => {
  const collector = await startCollector(t)
  const telemetry = exporter(collector.url)
  collector.answer = { status: 503, body: 'secret' }
  for (let i = 0; i < 8_200; i++) telemetry.take(request(i))
  assert.equal(telemetry.lost, 8)
  await telemetry.flush()
  assert.equal(telemetry.lost, 8)
  assert.equal(telemetry.health().ok, false)
  assert.equal(telemetry.health().required, false)
  collector.answer = { status: 400, body: 'secret' }
  await telemetry.flush()
  assert.equal(telemetry.lost, 8_200)
  collector.answer = {
    status: 200,
    body: '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"secret"}}',
  }
  telemetry.take(request(1))
  telemetry.take(request(2))
  await telemetry.flush()
  assert.equal(telemetry.lost, 8_201)
  assert.doesNotMatch(JSON.stringify(telemetry.health()), /secret/)
  collector.answer = { status: 200, body: 'not JSON' }
  await telemetry.close()
  assert.equal(telemetry.health().ok, true)
})

for (const workers of [1, 2])
  test(`a gateway with ${workers} worker${workers === 1 ? '' : 's'} goes on with a trace and hands it to the backend`, async t => {
    const collector = await startCollector(t)
    const heard: (string | undefined)[] = []
    const backend = createServer((incoming, response) => {
      heard.push(incoming.headers['traceparent'] as string | undefined)
      response.end('ok')
    })
    await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
    const address = backend.address()
    assert.ok(typeof address === 'object' && address !== null)
    const folder = mkdtempSync(join(tmpdir(), 'postern-telemetry-'))
    writeFileSync(
      join(folder, 'postern.config.json'),
      JSON.stringify({
        upstream: `http://127.0.0.1:${address.port}`,
        listen: 0,
        workers,
        admin: false,
        telemetry: { otlp: collector.url },
      }),
    )
    t.after(() => {
      backend.closeAllConnections()
      backend.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const loaded = await loadConfig({ folder, environment: {} })
    const served = await serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, connection: 'close' }
    assert.equal((await fetch(served.url, { headers })).status, 200)
    assert.equal((await fetch(`${served.url}/?q=1'%20OR%20'1'='1`, { headers })).status, 403)
    await served.close()
    assert.deepEqual(collector.faults, [])
    assert.equal(collector.spans.length, 2)
    const [passed, refused] = [...collector.spans].sort((a, b) => a.attributes.length - b.attributes.length)
    assert.ok(passed !== undefined && refused !== undefined)
    assert.deepEqual(heard, [`00-${TRACE}-${passed.spanId}-01`])
    assert.deepEqual([passed.traceId, passed.parentSpanId], [TRACE, PARENT])
    assert.equal(said(refused)['postern.decision'], 'deny')
  })
