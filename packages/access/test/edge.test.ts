import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeBudget } from '@postern/access'
import { type Decision, Engine, type Guard, type Json, VirtualClock } from '@postern/core'
import { countMutations } from '../src/edge/count-graphql.ts'
import { countIds } from '../src/edge/count-ids.ts'
import { WindowCounter } from '../src/edge/window-counter.ts'

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
  }: Ask,
): Promise<Decision> {
  const engine = new Engine({ guards: [guard] })
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
  const exchange = engine.open({
    method,
    target,
    headers: ['Host', 'shop.example', ...(body === undefined || type === '' ? [] : ['Content-Type', type])],
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
    { type: 'image/png', body: many(20) },
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
