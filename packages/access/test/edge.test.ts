import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { edgeBudget } from '@postern/access'
import { type Decision, Engine, type Guard, type Json, VirtualClock } from '@postern/core'
import { WindowCounter } from '../src/budget/window-counter.ts'
import { countMutations } from '../src/edge/count-graphql.ts'
import { countIds } from '../src/edge/count-ids.ts'

interface Ask {
  readonly method: string
  readonly target?: string
  readonly body?: unknown
  readonly peer?: string
  readonly complete?: boolean
  readonly status?: number
  readonly aborted?: boolean
  /** Default: JSON. */
  readonly type?: string
  /** `gzip` compresses the body; anything else is only said. */
  readonly coding?: string
}

async function ask(
  guard: Guard,
  {
    method,
    target = '/orders/1',
    body,
    peer = '192.0.2.1',
    complete = true,
    status = 200,
    aborted = false,
    type = 'application/json',
    coding,
  }: Ask,
): Promise<Decision> {
  const engine = new Engine({ guards: [guard] })
  const plain = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
  const bytes = coding === 'gzip' ? gzipSync(plain) : plain
  const labels = [
    ...(body === undefined || type === '' ? [] : ['Content-Type', type]),
    ...(coding === undefined ? [] : ['Content-Encoding', coding]),
  ]
  const exchange = engine.open({
    method,
    target,
    headers: ['Host', 'shop.example', ...labels],
    peer,
    secure: false,
    httpVersion: '1.1',
    body: body === undefined ? undefined : { read: async () => ({ bytes, complete }) },
    native: undefined,
  })
  await engine.decide(exchange)
  const { decision } = exchange
  engine.settle(exchange, {
    status: decision.effect === 'allow' ? status : decision.status,
    duration: 1,
    bytes: 0,
    aborted,
  })
  return decision
}

const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('ids of a body are counted, whatever their form', () => {
  const cases: readonly (readonly [Json, number])[] = [
    [{}, 1],
    [{ id: 7 }, 1],
    [many(40), 40],
    [{ ids: many(40) }, 40],
    [{ ids: '1,2,3' }, 3],
    [{ ids: '1;2; 3|4 5' }, 5],
    [{ ids: '' }, 1],
    [{ ids: Object.fromEntries(many(40).map(id => [id, id])) }, 40],
    [{ orders: { 0: { ids: many(5) }, 1: { ids: many(5) } } }, 10],
    [{ year: { 2026: 'x' } }, 1],
    [{ filter: { order_ids: many(40) } }, 40],
    [{ orders: many(20).map(id => ({ id })) }, 20],
    [[{ ids: many(10) }, { ids: many(10) }], 20],
    [{ note: 'a, b, c' }, 1],
  ]
  for (const [body, expected] of cases) assert.equal(countIds(body), expected, JSON.stringify(body))
})

test('mutations of GraphQL are counted with aliases, lists, variables, fragments and batches', () => {
  const deletes = (query: string, variables: Json = {}): number | undefined =>
    countMutations({ query, variables })?.deletes
  assert.equal(deletes('query { orders { id } }'), 0)
  assert.equal(deletes('{ deleteOrder(id: 1) { id } }'), 0)
  assert.equal(deletes('mutation { deleteOrder(id: 1) { id } }'), 1)
  assert.equal(
    deletes(
      'mutation Wipe($x: Int = 3) @live { a: deleteOrder(id: 1) { id } b: deleteOrder(id: 2) { id, items { deleteMe } } }',
    ),
    2,
  )
  assert.equal(deletes('mutation { deleteOrders(ids: [1, 2, "3 ] }", 4]) { id } }'), 4)
  assert.equal(
    deletes('mutation($ids: [ID!]!) { deleteOrders(where: { ids: $ids }) { id } }', { ids: many(30) }),
    30,
  )
  assert.equal(deletes('mutation { ...A ...A } fragment A on Mutation { removeOrder(id: 1) { id } ...A }'), 2)
  assert.equal(
    deletes('mutation { ... on Mutation @include(if: true) { removeOrder(id: 1) { id } } ... { purge } }'),
    2,
  )
  assert.equal(
    deletes('# mutation { deleteOrder }\nmutation { """x { deleteOrder }""" deleteOrder(id: "#") { id } }'),
    1,
  )
  assert.deepEqual(
    countMutations({ query: 'mutation { updateOrder(id: 1) { id } deleteOrder(id: 1) { id } }' }),
    { deletes: 1, updates: 1 },
  )
  assert.deepEqual(
    countMutations(many(25).map(() => ({ query: 'mutation { deleteOrder(id: 1) { id } }' }))),
    { deletes: 25, updates: 0 },
  )
  assert.equal(countMutations({ hello: 1 }), undefined)
  assert.equal(deletes('mutation { a(((((((('), 0)
  assert.equal(deletes('mutation ($ids: [ID!] = [1, 2, 3], $n: Int = 4) { deleteOrders(ids: $ids) }'), 3)
  assert.equal(deletes('mutation ($w: In = {ids: [1, 2, 3]}) { deleteOrders(where: $w) }', null), 3)
  assert.equal(deletes('mutation ($ids: [ID!] = [1, 2]) { deleteOrders(ids: $ids) }', { ids: [7] }), 1)
  assert.equal(deletes('mutation ($ids: [ID!]) { deleteOrders(ids: $ids) }', '{"ids":[1,2,3]}'), 3)
})

test('an actor deletes one by one, by lists and by GraphQL up to its budget, and no further', async () => {
  const clock = new VirtualClock()
  const guard = edgeBudget({ deletes: 50, clock })
  for (let i = 0; i < 20; i++) assert.equal((await ask(guard, { method: 'DELETE' })).effect, 'allow')
  assert.equal((await ask(guard, { method: 'DELETE', body: { ids: many(20) } })).effect, 'allow')
  const mutation = {
    query: `mutation { ${many(8)
      .map(i => `d${i}: deleteOrder(id: ${i}) { id }`)
      .join(' ')} }`,
  }
  assert.equal((await ask(guard, { method: 'POST', target: '/graphql', body: mutation })).effect, 'allow')
  assert.equal((await ask(guard, { method: 'DELETE', target: '/orders?id=1&id=2' })).effect, 'allow')
  const refused = await ask(guard, { method: 'DELETE' })
  assert.ok(refused.effect === 'throttle')
  assert.deepEqual(refused.reasons[0].evidence?.facts, { allowed: 0, asked: 1 })
  assert.ok((refused.retryAfter ?? 0) > 3_600)
  assert.equal((await ask(guard, { method: 'DELETE', peer: '198.51.100.1' })).effect, 'allow')
  assert.equal((await ask(guard, { method: 'GET' })).effect, 'allow')
  clock.advance(3_600_000)
  assert.equal((await ask(guard, { method: 'DELETE' })).effect, 'throttle')
  clock.advance(450_000)
  assert.equal((await ask(guard, { method: 'DELETE' })).effect, 'allow')
})

test('a request that fails costs nothing, and one that is refused costs nothing', async () => {
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  for (let i = 0; i < 30; i++) await ask(guard, { method: 'DELETE', status: 404 })
  assert.equal((await ask(guard, { method: 'DELETE', body: many(11) })).effect, 'throttle')
  assert.equal((await ask(guard, { method: 'DELETE', body: many(10) })).effect, 'allow')
})

test('attack: ids in a form, in JSON under another label, or in brackets are counted as well', async () => {
  const form = 'application/x-www-form-urlencoded'
  const parts = many(11)
    .map(id => `--b\r\nContent-Disposition: form-data; name="order_ids[]"\r\n\r\n${id}\r\n`)
    .join('')
  const over: readonly Partial<Ask>[] = [
    {
      type: form,
      body: many(11)
        .map(id => `ids[]=${id}`)
        .join('&'),
    },
    {
      type: form,
      body: many(11)
        .map(id => `ids%5B${id}%5D=${id}`)
        .join('&'),
    },
    {
      type: form,
      body: many(11)
        .map(id => `orders[${id}][id]=${id}`)
        .join('&'),
    },
    { type: form, body: `ids=${many(11).join(',')}` },
    { type: form, body: 'ids=1', complete: false },
    { type: 'multipart/form-data; boundary=b', body: `${parts}--b--` },
    {
      type: 'multipart/form-data; boundary=b',
      body: `--b\nContent-Type: text/plain\nCONTENT-DISPOSITION: form-data; name=ids\nX: y\n\n${many(11).join(',')}\n--b--`,
    },
    { type: 'text/plain', body: { ids: many(11) } },
    { type: '', body: `\ufeff ${JSON.stringify(many(11))}` },
    { type: 'application/octet-stream', body: many(3), complete: false },
    {
      target: `/orders?${many(11)
        .map(id => `filter[id][${id}]=${id}`)
        .join('&')}`,
    },
  ]
  for (const request of over) {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    const said = await ask(guard, { method: 'DELETE', ...request })
    assert.equal(said.effect, 'throttle', JSON.stringify(request))
  }
  const within: readonly Partial<Ask>[] = [
    { type: form, body: 'note=1,2,3,4,5,6,7,8,9,10,11,12&_method=delete' },
    { type: 'text/plain', body: '[a note, in brackets' },
    { type: 'image/png', body: '\u0089PNG [1,2,3,4,5,6,7,8,9,10,11,12]' },
    // A text that looks like fields is one text.
    { type: 'multipart/form-data; boundary=b', body: 'name="ids"\r\n\r\n1,2\r\n'.repeat(20) },
    { type: 'application/octet-stream', body: 'a file', complete: false },
    { type: 'multipart/form-data; boundary=b', body: parts.slice(0, 300), complete: false },
  ]
  for (const request of within) {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    const said = await ask(guard, { method: 'DELETE', ...request })
    assert.equal(said.effect, 'allow', JSON.stringify(request))
  }
})

test('attack: a mutation hides behind strings, descriptions and what is too long to count', () => {
  const deletes = (query: string): number | undefined => countMutations({ query })?.deletes
  const ten = Array.from({ length: 10 }, (_, i) => `a${i}: deleteOrder(id: ${i})`).join(' ')
  const quotes = '"""'
  for (const query of [
    // In a block string no backslash escapes another.
    `mutation { a(x: ${quotes}a\\\\${quotes} ${quotes}) ${ten} b(x: ${quotes}q${quotes}) }`,
    `mutation { a(x: ${quotes}a\\${quotes} ${quotes}) ${ten} b(x: ${quotes}q${quotes}) }`,
    `${quotes}What it is for${quotes} mutation { ${ten} }`,
    `"What it is for" mutation { ${ten} }`,
    `fragment F on M { ${ten} } query Q { a } mutation M { ...F }`,
  ])
    assert.equal(deletes(query), 10, query)
  for (const query of [
    `mutation { ${'e '.repeat(100_001)} ${ten} }`,
    `mutation { ${'...A '.repeat(1_001)} ...B } fragment A on M { e } fragment B on M { ${ten} }`,
    `mutation { ${'...{ '.repeat(300)} ${ten} ${'}'.repeat(300)} }`,
  ])
    assert.equal(deletes(query), Number.MAX_SAFE_INTEGER, query.slice(0, 40))
})

test('attack: a document of brackets, or of variables, takes time in proportion to its length', () => {
  const deletes = (query: string, variables: Json = null): number =>
    countMutations({ query, variables })?.deletes ?? 0
  for (const brackets of ['[', '{', '(', '[{', '([', '...{'])
    assert.ok(deletes(`mutation { deleteOrders(ids: ${brackets.repeat(30_000)}`) >= 0, brackets)
  const fields = Array.from({ length: 10_000 }, (_, i) => `a${i}: deleteOrders(ids: $ids)`).join(' ')
  assert.equal(deletes(`mutation { ${fields} }`, { ids: many(10_000) }), 100_000_000)
  const used = `mutation { ${'...A '.repeat(900)} } fragment A on M { ${fields} }`
  assert.equal(deletes(used, { ids: many(10) }), Number.MAX_SAFE_INTEGER)
})

test('attack: a mutation is sent in another way than as JSON', async () => {
  const query = `mutation { ${Array.from({ length: 11 }, (_, i) => `a${i}: deleteOrder(id: ${i})`).join(' ')} }`
  const form = new URLSearchParams({ query }).toString()
  const part = (name: string, text: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n--b--\r\n`
  const multipart = 'multipart/form-data; boundary=b'
  for (const request of [
    { body: { query } },
    { type: '', body: { query } },
    { type: 'text/plain', body: { query } },
    { type: 'application/graphql', body: query },
    { type: 'application/x-www-form-urlencoded', body: form },
    { type: 'application/x-www-form-urlencoded', body: `query={a}&${form}` },
    { type: multipart, body: part('operations', JSON.stringify([{ query }])) },
    { type: multipart, body: part('query', query) },
    { target: `/graphql?${form}` },
    { target: `/graphql?${form}`, body: { query: 'mutation { a }' } },
    { target: '/graphql?query=mutation{a}', body: { query } },
    { target: `/graphql?${form}`, method: 'GET' },
    { target: `/graphql?${form.replace('mutation', '%6Dutatio%6E')}`, method: 'GET' },
    { type: 'image/png', body: { query } },
    { target: '/graphql', body: `{"query":"{ a }","query":${JSON.stringify(query)}}` },
    { target: '/graphql', body: `{"query":${JSON.stringify(query)},"query":"{ a }"}` },
    {
      type: 'application/x-www-form-urlencoded',
      body: `query=${encodeURIComponent('mutation ($ids: [ID!]!) { deleteOrders(ids: $ids) }')}&variables={"ids":[1]}&variables=${encodeURIComponent(JSON.stringify({ ids: many(11) }))}`,
    },
    { target: '/graphql', body: { query }, complete: false },
    { target: '/api/graphql/', type: multipart, body: part('operations', '{}'), complete: false },
  ] satisfies readonly Partial<Ask>[]) {
    const said = await ask(edgeBudget({ deletes: 10, clock: new VirtualClock() }), {
      method: 'POST',
      ...request,
    })
    assert.equal(said.effect, 'throttle', JSON.stringify(request).slice(0, 80))
  }
  for (const request of [
    { body: 'an upload', type: 'application/octet-stream', complete: false },
    { body: { query }, complete: false },
    {
      target: '/graphql',
      type: multipart,
      body: `${part('operations', '{"query":"mutation { addPicture }"}')}a picture`,
      complete: false,
    },
    { target: '/graphql', body: 'a picture', type: 'image/png', complete: false },
    { target: '/search?query=mutation' },
  ] satisfies readonly Partial<Ask>[])
    assert.equal((await ask(edgeBudget({ deletes: 10 }), { method: 'POST', ...request })).effect, 'allow')
})

test('attack: ids are sent under another label, or twice', async () => {
  const ids = { ids: many(11) }
  for (const request of [
    { type: 'image/png', body: ids },
    { type: 'application/x-www-form-urlencoded', body: ids },
    { type: 'multipart/form-data; boundary=b', body: ids },
    { body: `{"ids":[1],"ids":${JSON.stringify(many(11))}}` },
    { body: `{"ids":${JSON.stringify(many(11))},"ids":[1]}` },
  ]) {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    const said = await ask(guard, { method: 'DELETE', ...request })
    assert.equal(said.effect, 'throttle', JSON.stringify(request).slice(0, 80))
  }
})

test('attack: a body is compressed, so that its ids are not seen', async () => {
  const ids = many(11)
    .map(id => `ids=${id}`)
    .join('&')
  const form = 'application/x-www-form-urlencoded'
  const guard = (): Guard => edgeBudget({ deletes: 10, clock: new VirtualClock() })
  for (const request of [
    { method: 'DELETE', type: form, body: ids, coding: 'gzip' },
    { method: 'DELETE', body: { ids: many(11) }, coding: 'gzip' },
    {
      method: 'POST',
      body: { query: 'mutation { deleteOrders(ids: [1,2,3,4,5,6,7,8,9,10,11]) }' },
      coding: 'gzip',
    },
    { method: 'DELETE', body: [1], coding: 'unknown' },
    { method: 'POST', target: '/graphql', body: { query: '{ a }' }, coding: 'unknown' },
  ])
    assert.equal((await ask(guard(), request)).effect, 'throttle', JSON.stringify(request))
})

test('attack: a client hangs up on each of its deletes, or waits until the gateway gives up; the backend goes on', async () => {
  for (const end of [
    { status: 0, aborted: true },
    { status: 0 },
    { status: 404, aborted: true },
    { status: 408 },
    { status: 500 },
    { status: 502 },
    { status: 504 },
  ]) {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    for (let i = 0; i < 10; i++) await ask(guard, { method: 'DELETE', ...end })
    assert.equal((await ask(guard, { method: 'DELETE' })).effect, 'throttle', JSON.stringify(end))
  }
})

test('attack: a request that fails late makes no room for what was changed after it began', () => {
  const counter = new WindowCounter(8_000, 100)
  counter.add('mallory', 250, 0)
  counter.add('mallory', 250, 7_000)
  counter.giveBack('mallory', 250, 0, 7_000)
  assert.equal(counter.used('mallory', 7_000), 250)
  assert.equal(counter.used('mallory', 9_000), 250)
  counter.giveBack('mallory', 250, 7_000, 16_500)
  assert.equal(counter.used('mallory', 16_500), 0)
})

test('a change whose body is too long to be counted is refused, unless it is to pass', async () => {
  assert.equal((await ask(edgeBudget(), { method: 'PATCH', body: [1], complete: false })).effect, 'throttle')
  assert.equal(
    (await ask(edgeBudget({ unread: 'allow' }), { method: 'PATCH', body: [1], complete: false })).effect,
    'allow',
  )
})

test('attack: a delete is asked for by another method, which many backends obey', async () => {
  const form = 'application/x-www-form-urlencoded'
  const asks: readonly Ask[] = [
    { method: 'POST', body: '_method=delete&id=1', type: form },
    { method: 'POST', body: '{"_method":"DELETE"}' },
    { method: 'POST', target: '/orders/1?_method=DELETE' },
    { method: 'GET', target: '/wp-json/wp/v2/posts/1?_method=DELETE' },
  ]
  for (const one of asks) {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    for (let i = 0; i < 10; i++) assert.equal((await ask(guard, one)).effect, 'allow', JSON.stringify(one))
    assert.equal((await ask(guard, one)).effect, 'throttle', JSON.stringify(one))
  }
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const list = { method: 'POST', body: '_method=delete&ids=1,2,3,4,5,6', type: form }
  assert.equal((await ask(guard, list)).effect, 'allow')
  assert.equal((await ask(guard, list)).effect, 'throttle')
})

test('attack: the last of many ids is wrong, so that the answer says that nothing was changed', async () => {
  const guard = edgeBudget({ deletes: 500, clock: new VirtualClock() })
  const batch: Ask = { method: 'DELETE', body: { ids: many(250) }, status: 404 }
  await ask(guard, batch)
  await ask(guard, batch)
  assert.equal((await ask(guard, batch)).effect, 'throttle')
  const unread = edgeBudget({ deletes: 500, clock: new VirtualClock() })
  for (let i = 0; i < 5; i++) assert.equal((await ask(unread, { ...batch, status: 401 })).effect, 'allow')
})

test('attack: a document is sent once, and then named by its hash with more ids', async () => {
  const query = 'mutation Wipe($ids: [ID!]!) { deleteOrders(ids: $ids) { count } }'
  const extensions = {
    persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
  }
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const send = async (body: object): Promise<string> =>
    (await ask(guard, { method: 'POST', target: '/graphql', body })).effect
  assert.equal(await send({ query, extensions, variables: { ids: [1] } }), 'allow')
  assert.equal(await send({ extensions, variables: { ids: many(1_000) } }), 'throttle')
  assert.equal(await send([{ extensions, variables: { ids: many(10) } }]), 'throttle')
  assert.equal(await send({ extensions, variables: { ids: many(9) } }), 'allow')
})

test('attack: an anonymous client deletes from many addresses of its own network', async () => {
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const from = (i: number): Ask => ({ method: 'DELETE', peer: `2001:db8:1:2::${i + 1}` })
  for (let i = 0; i < 10; i++) assert.equal((await ask(guard, from(i))).effect, 'allow')
  assert.equal((await ask(guard, from(11))).effect, 'throttle')
  assert.equal((await ask(guard, { method: 'DELETE', peer: '2001:db8:9::1' })).effect, 'allow')
})

test('attack: an actor makes itself tenants, and deletes its budget in each', async () => {
  const guard = edgeBudget({ deletes: 2, clock: new VirtualClock() })
  const engine = new Engine({ guards: [guard] })
  const effects: string[] = []
  for (const tenant of ['a', 'b', 'c']) {
    const exchange = engine.open({
      method: 'DELETE',
      target: '/orders/1',
      headers: ['Host', 'shop.example'],
      peer: '192.0.2.1',
      secure: false,
      httpVersion: '1.1',
      body: undefined,
      native: undefined,
    })
    exchange.principal = { kind: 'user', id: 'mallory', tenant }
    effects.push((await guard.decide(exchange)).effect)
  }
  assert.deepEqual(effects, ['allow', 'allow', 'throttle'])
})
