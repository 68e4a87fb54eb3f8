import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A span as a collector reads it. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
}

/** A collector for tests, on loopback. */
export interface Collector {
  readonly url: string
  readonly spans: CollectedSpan[]
  /** Names of the metrics that came, with the field that holds their points. */
  readonly metrics: Map<string, Readonly<Record<string, unknown>>>
  /** What was wrong with what came. */
  readonly faults: string[]
  /** Bodies as they came. */
  readonly bodies: string[]
  /** What to answer next: a status, and a body. */
  answer: { status: number; body: string }
}

/** Every field that opentelemetry-proto 1.x gives these messages, as JSON names them. */
const FIELDS = {
  span: 'traceId spanId traceState parentSpanId flags name kind startTimeUnixNano endTimeUnixNano attributes droppedAttributesCount events droppedEventsCount links droppedLinksCount status',
  metric: 'name description unit metadata gauge sum histogram exponentialHistogram summary',
  point: 'attributes startTimeUnixNano timeUnixNano asDouble asInt exemplars flags',
  bucketed:
    'attributes startTimeUnixNano timeUnixNano count sum bucketCounts explicitBounds exemplars flags min max',
  value: 'stringValue boolValue intValue doubleValue arrayValue kvlistValue bytesValue',
} as const

/** Starts a collector that checks everything against the published shape of OTLP in JSON. */
export async function startCollector(t: TestContext): Promise<Collector> {
  const collector: Collector = {
    url: '',
    spans: [],
    metrics: new Map(),
    faults: [],
    bodies: [],
    answer: { status: 200, body: '{"partialSuccess":{}}' },
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      collector.bodies.push(text)
      try {
        assert.equal(request.method, 'POST')
        assert.equal(request.headers['content-type'], 'application/json')
        if (collector.answer.status === 200) take(collector, request.url ?? '', JSON.parse(text))
      } catch (error) {
        collector.faults.push(error instanceof Error ? error.message : 'failed')
      }
      response.writeHead(collector.answer.status, { 'content-type': 'application/json' })
      response.end(collector.answer.body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return Object.assign(collector, { url: `http://127.0.0.1:${address.port}` })
}

type Fields = Readonly<Record<string, unknown>>

function take(collector: Collector, path: string, body: Fields): void {
  if (path === '/v1/traces') {
    for (const resource of list(body['resourceSpans'])) {
      origin(resource)
      for (const scope of list(resource['scopeSpans']))
        for (const span of list(scope['spans'])) collector.spans.push(checkedSpan(span))
    }
    return
  }
  assert.equal(path, '/v1/metrics')
  for (const resource of list(body['resourceMetrics'])) {
    origin(resource)
    for (const scope of list(resource['scopeMetrics']))
      for (const metric of list(scope['metrics']))
        collector.metrics.set(String(metric['name']), checkedMetric(metric))
  }
}

function origin(of: Fields): void {
  const names = attributes((of['resource'] as Fields)['attributes']).map(({ key }) => key)
  assert.ok(names.includes('service.name'))
}

function checkedSpan(span: Fields): CollectedSpan {
  named(span, FIELDS.span)
  assert.match(String(span['traceId']), /^(?!0{32})[0-9a-f]{32}$/)
  assert.match(String(span['spanId']), /^(?!0{16})[0-9a-f]{16}$/)
  if (span['parentSpanId'] !== undefined)
    assert.match(String(span['parentSpanId']), /^(?!0{16})[0-9a-f]{16}$/)
  assert.ok(typeof span['name'] === 'string' && span['name'] !== '')
  assert.ok([0, 1, 2, 3, 4, 5].includes(span['kind'] as number))
  assert.ok(BigInt(time(span['startTimeUnixNano'])) <= BigInt(time(span['endTimeUnixNano'])))
  attributes(span['attributes'])
  const code = (span['status'] as Fields)['code']
  assert.ok(code === undefined || code === 1 || code === 2)
  return span as unknown as CollectedSpan
}

function checkedMetric(metric: Fields): Fields {
  named(metric, FIELDS.metric)
  const kinds = ['gauge', 'sum', 'histogram'].filter(kind => metric[kind] !== undefined)
  assert.equal(kinds.length, 1)
  const [kind = ''] = kinds
  const data = metric[kind] as Fields
  if (kind !== 'gauge') assert.ok([1, 2].includes(data['aggregationTemporality'] as number))
  if (kind === 'sum') assert.equal(typeof data['isMonotonic'], 'boolean')
  for (const point of list(data['dataPoints'])) {
    named(point, kind === 'histogram' ? FIELDS.bucketed : FIELDS.point)
    time(point['timeUnixNano'])
    attributes(point['attributes'])
    if (kind !== 'histogram') assert.ok(Number.isFinite(point['asDouble']))
    else {
      const counts = point['bucketCounts'] as readonly string[]
      assert.equal(counts.length, (point['explicitBounds'] as readonly number[]).length + 1)
      assert.equal(String(counts.reduce((sum, count) => sum + BigInt(count), 0n)), point['count'])
    }
  }
  return metric
}

function list(value: unknown): readonly Fields[] {
  assert.ok(Array.isArray(value))
  return value as readonly Fields[]
}

function attributes(value: unknown): readonly Attribute[] {
  const given = list(value)
  const keys = given.map(({ key }) => key)
  assert.equal(new Set(keys).size, keys.length, 'a key is used twice')
  for (const { key, value: said } of given) {
    assert.ok(typeof key === 'string' && key !== '')
    named(said as Fields, FIELDS.value)
    const [[kind, text] = []] = Object.entries(said as Fields)
    if (kind === 'intValue') assert.match(String(text), /^-?\d+$/)
  }
  return given as unknown as readonly Attribute[]
}

function named(fields: Fields, names: string): void {
  for (const name of Object.keys(fields)) assert.ok(names.split(' ').includes(name), `${name} is not a field`)
}

/** 64 bits are text in JSON. */
function time(value: unknown): string {
  assert.ok(typeof value === 'string' && /^\d{1,20}$/.test(value), 'a time is not text of nanoseconds')
  return value
}
