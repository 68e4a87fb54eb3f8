import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BodySource, type Decision, Engine, type Guard, RouteTable } from '@postern/core'
import fc from 'fast-check'
import { parseRouteSchemas, type RouteSchemas } from '../../src/schema/route-schema.ts'
import { schemaGuard } from '../../src/schema/schema-guard.ts'
import { SchemaLearner } from '../../src/schema/schema-learner.ts'
import { isTextKind, textKind, widerKind } from '../../src/schema/value-shape.ts'

const routes = new RouteTable({ 'POST /orders': {}, 'GET /search': {}, '/items/:id': {} })

const bodyOf = (text: string): BodySource => ({
  read: async limit => ({
    bytes: new TextEncoder().encode(text).subarray(0, limit),
    complete: text.length <= limit,
  }),
})

async function send(
  guards: readonly Guard[],
  target: string,
  body?: string,
  status = 200,
  type = 'application/json',
): Promise<Decision> {
  const engine = new Engine({ guards, routes })
  const exchange = engine.open({
    method: body === undefined ? 'GET' : 'POST',
    target,
    headers: ['Host', 'h', ...(body === undefined ? [] : ['Content-Type', type])],
    peer: '192.0.2.7',
    secure: false,
    httpVersion: '1.1',
    body: body === undefined ? undefined : bodyOf(body),
    native: undefined,
  })
  const decision = await engine.decide(exchange)
  engine.settle(exchange, { status, duration: 1, bytes: 0, aborted: false })
  return decision
}

const order = (quantity: number, note?: string): string =>
  JSON.stringify({
    product: '6d3f1c52-3b7e-4d3b-9d6f-0c1a2b3c4d5e',
    quantity,
    address: { city: 'Rome' },
    ...(note !== undefined && { note }),
  })

async function learned(): Promise<SchemaLearner> {
  const learner = new SchemaLearner()
  for (let i = 1; i <= 20; i++)
    await send([learner], '/orders', order(i, i % 2 === 0 ? 'please ring' : undefined))
  for (let i = 1; i <= 20; i++) await send([learner], `/search?page=${i}&q=word${i}`)
  return learner
}

describe('learned schemas', () => {
  test('propose names, types, shapes, lengths and presence, and no value', async () => {
    const schemas = (await learned()).propose(20)
    assert.deepEqual(Object.keys(schemas), ['GET /search', 'POST /orders'])
    const { body, closed } = schemas['POST /orders'] ?? { body: {}, closed: false }
    assert.equal(closed, true)
    assert.deepEqual(
      { ...body['product'] },
      { types: ['string'], kind: 'uuid', maxLength: 72, required: true },
    )
    assert.deepEqual({ ...body['quantity'] }, { types: ['number'], required: true })
    assert.equal(body['note']?.required, false)
    assert.equal(body['address.city']?.required, true)
    assert.doesNotMatch(JSON.stringify(schemas), /Rome|please|6d3f/)
  })

  test('learn nothing from requests that went wrong, or too few', async () => {
    const learner = new SchemaLearner()
    for (let i = 0; i < 20; i++) await send([learner], `/search?page=1&attack${i}=x`, undefined, 404)
    await send([learner], '/search?page=1')
    assert.deepEqual({ ...learner.propose(2) }, {})
  })

  test('are bounded, whatever is sent, and say so by staying open', async () => {
    const learner = new SchemaLearner({ maxParameters: 5 })
    for (let i = 0; i < 50; i++) await send([learner], `/search?p${i}=1`)
    const schema = learner.propose(1)['GET /search']
    assert.equal(Object.keys(schema?.query ?? {}).length, 5)
    assert.equal(schema?.closed, false)
  })

  test('pass review as JSON and come back the same', async () => {
    const schemas = (await learned()).propose(20)
    const back = parseRouteSchemas(JSON.parse(JSON.stringify(schemas)))
    assert.equal(JSON.stringify(back), JSON.stringify(schemas))
  })

  test('that were edited wrongly are refused with their place', () => {
    for (const value of [
      7,
      { 'GET /x': 7 },
      { 'GET /x': { query: { a: { types: ['colour'], required: true } } } },
      { 'GET /x': { query: { a: { types: ['string'], required: 'yes' } } } },
      { 'GET /x': { query: { a: { types: ['string'], required: true, kind: 'poem' } } } },
      { 'GET /x': { querry: {} } },
    ])
      assert.throws(() => parseRouteSchemas(value), { code: 'POSTERN_CONFIG' })
  })
})

describe('schema guard', () => {
  const problemOf = async (schemas: RouteSchemas, target: string, body?: string): Promise<string> => {
    const decision = await send([schemaGuard({ schemas })], target, body)
    return decision.effect === 'allow' ? 'allow' : String(decision.reasons[0].evidence?.facts?.['problem'])
  }

  test('attack: one of several values of a name does not fit, whichever a backend takes', async () => {
    const number = { types: ['number'], required: true } as const
    const page = { types: ['string'], kind: 'integer', required: true } as const
    const schemas = {
      'GET /search': { query: { page }, body: {}, samples: 1, closed: true },
      'POST /orders': { query: {}, body: { 'items[].id': number }, samples: 1, closed: false },
    } as const
    assert.equal(await problemOf(schemas, '/search?page=1&page=2'), 'allow')
    assert.equal(await problemOf(schemas, '/search?page=1&page=1+OR+1'), 'shape')
    assert.equal(await problemOf(schemas, '/search?page=1+OR+1&page=1'), 'shape')
    assert.equal(await problemOf(schemas, '/orders', '{"items":[{"id":1},{"id":2}]}'), 'allow')
    for (const ids of [
      ['"x"', '1'],
      ['1', '"x"'],
      [...Array<string>(1_500).fill('1'), '"x"', '1'],
    ])
      assert.equal(
        await problemOf(schemas, '/orders', `{"items":[${ids.map(id => `{"id":${id}}`).join(',')}]}`),
        'type',
      )
  })

  test('attack: a body under another label than its own, or in another format than usual', async () => {
    const quantity = { types: ['number'], required: true } as const
    const schemas = { 'POST /orders': { query: {}, body: { quantity }, samples: 1, closed: true } } as const
    for (const type of ['application/json', 'text/plain', 'image/png', 'multipart/form-data; boundary=x']) {
      for (const [body, effect] of [
        ['{"quantity":1}', 'allow'],
        ['{"quantity":"1 OR 1=1"}', 'deny'],
        ['{"quantity":1,"price":0}', 'deny'],
        ['{"quantity":"1 OR 1=1","quantity":1}', 'deny'],
      ] as const) {
        const decision = await send([schemaGuard({ schemas })], '/orders', body, 200, type)
        assert.equal(decision.effect, effect, `${type} ${body}`)
      }
    }
    const multipart = '--x\r\nContent-Disposition: form-data; name="quantity"\r\n\r\n1 OR 1=1\r\n--x--\r\n'
    const guards = [schemaGuard({ schemas })]
    const decision = await send(guards, '/orders', multipart, 200, 'multipart/form-data; boundary=x')
    assert.equal(decision.effect, 'deny')
  })

  test('holds whatever routes are configured: a narrower one, as an exception adds, lifts no schema', async () => {
    const query = { page: { types: ['string'], required: false } } as const
    const schema = { query, body: {}, samples: 1, closed: true }
    const narrow = { query: { ...query, q: query.page }, body: {}, samples: 1, closed: true }
    const schemas = { 'GET /**': schema, 'GET /search/:kind': narrow }
    const own = new Engine({
      guards: [schemaGuard({ schemas })],
      routes: new RouteTable({ 'GET /notes/7': {}, '/search/**': {} }),
    })
    const effectOf = async (target: string, method = 'GET') => {
      const source = { method, target, headers: ['Host', 'h'], peer: '192.0.2.1', secure: false }
      const exchange = own.open({ ...source, httpVersion: '1.1', body: undefined, native: undefined })
      return (await own.decide(exchange)).effect
    }
    for (const target of ['/notes/7?page=1', '/x?page=1', '/search/books?q=x', '/SEARCH/books?q=x'])
      assert.equal(await effectOf(target), 'allow', target)
    for (const target of ['/notes/7?q=1', '/x?q=1', '/search?q=1', '/search/books?z=1'])
      assert.equal(await effectOf(target), 'deny', target)
    assert.equal(await effectOf('/notes/7?q=1', 'HEAD'), 'deny')
    assert.equal(await effectOf('/notes/7?q=1', 'POST'), 'allow', 'no schema is of this method')
  })

  test('attack: a request asks to be treated as one whose schema it does not match', async () => {
    const role = { types: ['string'], kind: 'integer', required: false } as const
    const schemas = { 'PUT /users/:id': { query: {}, body: { role }, samples: 1, closed: false } } as const
    const engine = new Engine({ guards: [schemaGuard({ schemas })] })
    const effectOf = async (body: string, more: { query?: string; headers?: readonly string[] } = {}) => {
      const bytes = new TextEncoder().encode(body)
      const exchange = engine.open({
        method: 'POST',
        target: `/users/7${more.query ?? ''}`,
        headers: ['Host', 'h', 'Content-Type', 'application/json', ...(more.headers ?? [])],
        peer: '192.0.2.1',
        secure: false,
        httpVersion: '1.1',
        body: { read: async () => ({ bytes, complete: true }) },
        native: undefined,
      })
      return (await engine.decide(exchange)).effect
    }
    const wrong = '{"role":"admin"}'
    const headers = ['X-HTTP-Method-Override', 'PUT']
    assert.equal(await effectOf(wrong), 'allow', 'POST has no schema')
    assert.equal(await effectOf(wrong, { headers }), 'deny')
    assert.equal(await effectOf(wrong, { query: '?_method=put' }), 'deny')
    assert.equal(await effectOf('{"role":"1"}', { headers }), 'allow')
  })

  test('names everything that does not fit, so that one change answers the refusal', async () => {
    const schemas = (await learned()).propose(20)
    const body = order(3).replace('{', '{"isAdmin":true,"debug":1,')
    const decision = await send([schemaGuard({ schemas })], '/orders?verbose=1', body)
    assert.ok(decision.effect === 'deny')
    assert.match(
      decision.reasons[0].exception?.note ?? '',
      /under "POST \/orders": add or widen query\.verbose, body\.isAdmin, body\.debug$/,
    )
  })

  test('lets what was learned pass and refuses what was not', async () => {
    const schemas = (await learned()).propose(20)
    const table: readonly (readonly [target: string, body: string | undefined, wanted: string])[] = [
      ['/orders', order(3), 'allow'],
      ['/orders', order(3, ''), 'allow'],
      ['/orders', order(3, 'x'.repeat(500)), 'length'],
      ['/orders', order(3).replace(/"product":"[^"]+"/, '"product":"1 or 1=1"'), 'shape'],
      ['/orders', order(3).replace('"quantity":3', '"quantity":"3"'), 'type'],
      ['/orders', order(3).replace('"quantity":3', '"quantity":3,"q":{"$gt":0}'), 'unknown'],
      ['/orders', order(3).replace('{', '{"isAdmin":true,'), 'unknown'],
      ['/orders', order(3).replace('{', '{"__proto__":{"isAdmin":true},'), 'unknown'],
      ['/orders', '{"quantity":3}', 'missing'],
      ['/orders', '{"quantity"', 'malformed'],
      ['/orders', `{"pad":"${'x'.repeat(1_100_000)}"}`, 'too-large'],
      [
        '/orders',
        JSON.stringify(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, 1]))),
        'too-many',
      ],
      ['/search?page=3&q=word', undefined, 'allow'],
      ['/search?page=3&q=word&debug=1', undefined, 'unknown'],
      ['/search?page=x&q=word', undefined, 'shape'],
      ['/search?page=3&q=two%20words', undefined, 'allow'],
      ['/search?q=word', undefined, 'missing'],
      [`/search?page=3&q=word&${'a=1&'.repeat(2_000)}`, undefined, 'too-many'],
      ['/items/5?anything=1', undefined, 'allow'],
      ['/elsewhere?anything=1', undefined, 'allow'],
    ]
    for (const [target, body, wanted] of table)
      assert.equal(
        await problemOf(schemas, target, body),
        wanted,
        `${target.slice(0, 60)} ${body?.slice(0, 80)}`,
      )
  })

  test('a nesting of a hundred neither crashes nor passes', async () => {
    const schemas = (await learned()).propose(20)
    const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`
    assert.notEqual(await problemOf(schemas, '/orders', deep), 'allow')
  })
})

test('a wider kind holds what both kinds held', () => {
  const text = fc.oneof(
    fc.constantFrom('true', '12', '1.5', '2026-01-01', 'a@b.example', 'word', 'two words', ''),
    fc.string({ maxLength: 20 }),
  )
  fc.assert(
    fc.property(text, text, (a, b) => {
      const wider = widerKind(textKind(a), textKind(b))
      assert.ok(isTextKind(a, wider) && isTextKind(b, wider))
    }),
  )
})
