import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Engine, type Event, HttpEvent } from '../../src/index.ts'
import { exchangeOf, run } from '../exchanges.ts'

describe('an exchange', () => {
  for (const [target, host, path, query] of [
    ['/a?b=1', 'shop.example', '/a', 'b=1'],
    ['http://other.example:81/a?b=1', 'other.example:81', '/a', 'b=1'],
    ['HTTPS://other.example/a', 'other.example', '/a', ''],
    ['http://other.example', 'other.example', '/', ''],
    ['http://other.example?b=1', 'other.example', '/', 'b=1'],
    ['http:///a', '', '/a', ''],
    ['*', 'shop.example', '*', ''],
  ] as const) {
    test(`for ${target} is about ${path} on ${host === '' ? 'no host' : host}`, () => {
      const exchange = exchangeOf({ target })
      assert.equal(exchange.host, host)
      assert.equal(exchange.path.canonical, path)
      assert.equal(exchange.path.query, query)
    })
  }

  test('takes the host of HTTP/2 from :authority', () => {
    assert.equal(exchangeOf({ headers: [':authority', 'shop.example'] }).host, 'shop.example')
  })

  test('finds headers in any spelling, joins those sent several times, and counts them', () => {
    const exchange = exchangeOf({
      headers: ['Accept', 'a', 'ACCEPT', 'b', 'Cookie', 'c=1', 'cookie', 'd=2', 'Accepted', 'no'],
    })
    assert.equal(exchange.header('accept'), 'a, b')
    assert.equal(exchange.header('cookie'), 'c=1; d=2')
    assert.equal(exchange.header('missing'), undefined)
    assert.equal(exchange.headerCount('accept'), 2)
    assert.equal(exchange.headerCount('missing'), 0)
  })

  test('shows itself without headers, query and the request of the framework', () => {
    const native: { self?: unknown } = {}
    native.self = native
    const headers = ['cookie', 'session=secret', 'authorization', 'Bearer secret']
    const exchange = exchangeOf({ target: '/orders?token=secret', headers, native })
    const { id } = exchange
    const principal = { kind: 'anonymous', id: '' }
    const shown = { id, method: 'GET', path: '/orders', principal, decision: 'allow' }
    assert.deepEqual(JSON.parse(JSON.stringify({ exchange })), { exchange: shown })
    assert.doesNotMatch(inspect({ exchange }), /secret/)
    assert.match(inspect({ exchange }), /orders/)
  })

  test('reads its body once for all who ask', async () => {
    let reads = 0
    const body = {
      async read(limit: number) {
        reads++
        return { bytes: new Uint8Array(limit), complete: false }
      },
    }
    const exchange = exchangeOf({ body })
    assert.equal(exchange.readBody(), exchange.readBody())
    assert.equal((await exchange.readBody()).bytes.length, 1_024)
    assert.equal(reads, 1)
    assert.ok(exchange.hasBody)
  })

  for (const [name, value] of [
    ['host', 'evil.example'],
    ['content-length', '0'],
    ['transfer-encoding', undefined],
    ['x-forwarded-for', '10.0.0.1'],
    ['x-postern-identity', 'v1.forged'],
    ['Cookie', 'a=1'],
    ['bad name', 'a'],
    ['', 'a'],
    ['cookie', 'a=1\r\nX-Injected: yes'],
    ['cookie', 'a=1\0'],
    ['x-name', 'gr\u{1f600}n'],
  ] as const) {
    test(`does not let a guard change the request header ${JSON.stringify([name, value])}`, () => {
      const exchange = exchangeOf()
      assert.throws(
        () => exchange.setRequestHeader(name, value),
        (error: unknown) => error instanceof TypeError && !error.message.includes('Injected'),
      )
      assert.equal(exchange.requestChanges, undefined)
    })
  }

  test('without a body has an empty and complete one', async () => {
    assert.deepEqual(await exchangeOf().readBody(), { bytes: new Uint8Array(0), complete: true })
    assert.ok(!exchangeOf().hasBody)
  })
})

describe('the event of an exchange', () => {
  test('is bounded, whatever was sent, and can always be written as UTF-8', async () => {
    const engine = new Engine()
    let event: Event | undefined
    engine.listen(told => {
      event = told
    })
    const astral = encodeURIComponent('😀'.repeat(2_000))
    await run(engine, {
      method: 'M'.repeat(100),
      target: `/x${astral}?q=${'y'.repeat(10_000)}`,
      headers: ['Host', 'h'.repeat(1_000), 'User-Agent', 'u'.repeat(1_000)],
    })
    assert.ok(event instanceof HttpEvent)
    const { request, actor } = event.toJSON()
    assert.equal(request?.method.length, 32)
    assert.equal(request?.host.length, 255)
    assert.ok((request?.path.length ?? 0) <= 1_024)
    assert.ok(request?.path.isWellFormed())
    assert.ok((request?.query.length ?? 0) <= 2_048)
    assert.equal(actor.agent?.length, 256)
  })

  test('holds what was decided and how it ended, and no secret of the query', async () => {
    const engine = new Engine()
    let event: Event | undefined
    engine.listen(told => {
      event = told
    })
    await run(engine, { target: '/reset?token=abc&page=1' })
    assert.deepEqual(JSON.parse(JSON.stringify(event)), {
      type: 'http',
      time: event?.time,
      actor: { address: '192.0.2.1' },
      request: {
        id: event?.request?.id,
        method: 'GET',
        host: 'shop.example',
        path: '/reset',
        query: 'token=***&page=1',
      },
      decision: 'allow',
      outcome: { status: 200, duration: 1, bytes: 0, aborted: false },
    })
  })
})
