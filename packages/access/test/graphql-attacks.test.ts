import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { edgeBudget, graphqlCost } from '@postern/access'
import { type Decision, Engine, type Guard, VirtualClock } from '@postern/core'
import { parse } from 'graphql'
import { countDocument } from '../src/edge/count-graphql.ts'

const many = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `id-${i}`)

function post(guard: Guard, body: object): Promise<Decision['effect']> {
  return send(guard, 'application/json', JSON.stringify(body))
}

async function send(
  guard: Guard,
  type: string,
  body: string,
  target = '/graphql',
): Promise<Decision['effect']> {
  const engine = new Engine({ guards: [guard] })
  const bytes = Buffer.from(body)
  const exchange = engine.open({
    method: 'POST',
    target,
    headers: ['Host', 'shop.example', 'Content-Type', type],
    peer: '192.0.2.1',
    secure: false,
    httpVersion: '1.1',
    body: { read: async () => ({ bytes, complete: true }) },
    native: undefined,
  })
  return (await engine.decide(exchange)).effect
}

for (const between of [' ', '\n', ',', '\uFEFF', '#ids\n', ' , #a\n#b\r'])
  test(`attack: ${JSON.stringify(between)} between the sign and the name of a variable hides its list`, () => {
    const name = `$${between}ids`
    const text = `mutation (${name}: [ID!]!) { deleteOrders(ids: ${name}) { count } }`
    parse(text)
    assert.equal(countDocument(text, { ids: many(700) }).deletes, 700)
    const byDefault = `mutation (${name}: [ID!] = [1, 2, 3]) { deleteOrders(ids: ${name}) { count } }`
    assert.equal(countDocument(byDefault, null).deletes, 3)
  })

test('attack: numbers that nothing stands between are as many elements of a list', () => {
  const text = 'mutation { deleteOrders(ids: [1-2-3-4.5e-1-6]) { count } }'
  parse(text)
  assert.equal(countDocument(text, null).deletes, 5)
})

const persisted = (query: string): object => ({
  persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
})
const WIPE = 'mutation ($ids: [ID!]!) { deleteOrders(ids: $ids) { count } }'

test('attack: an empty document beside the hash of one that was sent before', async () => {
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const extensions = persisted(WIPE)
  assert.equal(await post(guard, { query: WIPE, extensions, variables: { ids: ['1'] } }), 'allow')
  assert.equal(await post(guard, { query: '', extensions, variables: { ids: many(1_000) } }), 'throttle')
})

const FORM = 'application/x-www-form-urlencoded'
const hashed = JSON.stringify(persisted(WIPE))
const wiped = JSON.stringify({ ids: many(1_000) })
const { persistedQuery } = persisted(WIPE) as { readonly persistedQuery: { readonly sha256Hash: string } }
const forms: readonly (readonly [string, string, string, string?])[] = [
  ['a form', FORM, new URLSearchParams({ extensions: hashed, variables: wiped }).toString()],
  [
    'a form with an empty document',
    FORM,
    new URLSearchParams({ query: '', extensions: hashed, variables: wiped }).toString(),
  ],
  ['the query', FORM, '', `/graphql?${new URLSearchParams({ extensions: hashed, variables: wiped })}`],
  ['the query, in plain characters', FORM, '', `/graphql?extensions=${hashed}&variables=${wiped}`],
  [
    'a form, and the query has its variables',
    FORM,
    new URLSearchParams({ extensions: hashed }).toString(),
    `/graphql?${new URLSearchParams({ variables: wiped })}`,
  ],
  [
    'an upload',
    'multipart/form-data; boundary=x',
    `--x\r\nContent-Disposition: form-data; name="extensions"\r\n\r\n${hashed}\r\n--x\r\nContent-Disposition: form-data; name="variables"\r\n\r\n${wiped}\r\n--x--\r\n`,
  ],
  ['JSON in JSON', 'application/json', JSON.stringify({ extensions: hashed, variables: wiped })],
  ...['documentId', 'doc_id', 'queryId', 'hash', 'id'].map(
    name =>
      [
        `the member "${name}"`,
        'application/json',
        JSON.stringify({ [name]: persistedQuery.sha256Hash, variables: { ids: many(1_000) } }),
      ] as const,
  ),
  [
    'a document id with its algorithm',
    'application/json',
    JSON.stringify({
      documentId: `sha256:${persistedQuery.sha256Hash}`,
      variables: { ids: many(1_000) },
    }),
  ],
]
for (const [where, type, body, target] of forms)
  test(`attack: the hash of a document that was sent before, in ${where}`, async () => {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    const extensions = persisted(WIPE)
    assert.equal(await post(guard, { query: WIPE, extensions, variables: { ids: ['1'] } }), 'allow')
    assert.equal(await send(guard, type, body, target), 'throttle')
  })

for (const [what, padding] of [
  ['spaces', ' '.repeat(20_000)],
  ['comments', '#\n'.repeat(10_000)],
  ['queries', ' query A { a { b c d e f } }'.repeat(1_000)],
] as const)
  test(`attack: ${what} make a document too long to be kept, and its hash is named later`, async () => {
    const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
    const query = WIPE + padding
    const extensions = persisted(query)
    assert.equal(await post(guard, { query, extensions, variables: { ids: ['1'] } }), 'allow')
    assert.equal(await post(guard, { extensions, variables: { ids: many(1_000) } }), 'throttle')
  })

test('attack: a refused batch makes the guard forget a document, and its hash is named then', async () => {
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const extensions = persisted(WIPE)
  assert.equal(await post(guard, { query: WIPE, extensions, variables: { ids: ['1'] } }), 'allow')
  const flood = many(1_001).map((_, i) => ({ query: `mutation { deleteA(id: ${i}) }` }))
  assert.equal(await post(guard, flood), 'throttle')
  assert.equal(await post(guard, { extensions, variables: { ids: many(1_000) } }), 'throttle')
})

test('attack: a batch names the hash of a document that it sends itself', async () => {
  const guard = edgeBudget({ deletes: 10, clock: new VirtualClock() })
  const extensions = persisted(WIPE)
  const batch = [
    { query: WIPE, extensions, variables: { ids: ['1'] } },
    { extensions, variables: { ids: many(1_000) } },
  ]
  assert.equal(await post(guard, batch), 'throttle')
})

for (const [how, text] of [
  ['a field', 'mutation ($ids: [ID!]!) { orders { deleteMany(ids: $ids) { count } } }'],
  ['two fields', 'mutation ($ids: [ID!]!) { shop { orders { delete_many(ids: $ids) { count } } } }'],
  [
    'a fragment',
    'mutation ($ids: [ID!]!) { orders { ...o } } fragment o on O { deleteMany(ids: $ids) { n } }',
  ],
  [
    'a fragment without a name',
    'mutation ($ids: [ID!]!) { orders { ... on O { deleteMany(ids: $ids) { n } } } }',
  ],
  ['an alias', 'mutation ($ids: [ID!]!) { a: orders { b: deleteMany(ids: $ids) { n } } }'],
] as const)
  test(`attack: what deletes is grouped under ${how}`, () => {
    parse(text)
    assert.equal(countDocument(text, { ids: many(700) }).deletes, 700)
  })

test('what a mutation answers with is not counted, grouped or not', () => {
  const fields = 'id deletedAt deletedItems(first: 10) { id } updatedBy(short: true) { name } ...o'
  for (const operation of [
    `logout { ${fields} }`,
    `deleteOrder(id: 1) { ${fields} }`,
    `viewer { logout(all: true) { ${fields} } }`,
  ]) {
    const text = `mutation { ${operation} } fragment o on O { a b c }`
    parse(text)
    const { deletes, updates } = countDocument(text, null)
    assert.equal(deletes + updates, 1, text)
  }
})

test('attack: fields inside of each other a thousand deep are not read', () => {
  const text = `mutation ${'{ a '.repeat(1_000)}{ deleteA(id: 1) }${' }'.repeat(1_000)}`
  assert.equal(countDocument(text, null).deletes, Number.MAX_SAFE_INTEGER)
})

const cost = (text: string, variables: Record<string, unknown> = {}) =>
  graphqlCost({ ...parse(text, { noLocation: true }) }, {}, variables)

test('attack: fragments in a long chain use up the stack', () => {
  const chain = Array.from({ length: 15_000 }, (_, i) => `fragment f${i} on Q { ...f${i + 1} }`).join(' ')
  assert.match(cost(`{ ...f0 } ${chain} fragment f15000 on Q { a }`).problems.join(), /inside of each other/)
})

for (const levels of [25, 100])
  test(`attack: a long list is hidden in ${levels} objects inside of each other`, () => {
    const nested = (value: unknown): unknown =>
      Array.from({ length: levels }).reduce<unknown>(inner => ({ _and: inner }), value)
    const text = `${'{ _and: '.repeat(levels)}{ id: { _in: [${many(500)
      .map(id => `"${id}"`)
      .join()}] } }${' }'.repeat(levels)}`
    assert.notDeepEqual(cost(`mutation { deleteOrders(where: ${text}) { count } }`).problems, [])
    const { problems } = cost('mutation ($w: W!) { deleteOrders(where: $w) { count } }', {
      w: nested({ id: { _in: many(500) } }),
    })
    assert.notDeepEqual(problems, [])
  })

test('a usual depth of objects and fragments is left alone', () => {
  const where = `${'{ _and: '.repeat(30)}{ id: { _in: ["1"] } }${' }'.repeat(30)}`
  const chain = Array.from({ length: 20 }, (_, i) => `fragment f${i} on Q { ...f${i + 1} }`).join(' ')
  assert.deepEqual(cost(`{ a(where: ${where}) ...f0 } ${chain} fragment f20 on Q { b }`).problems, [])
})

for (const [what, text, variables] of [
  ['an object', '{ orders(pagination: { limit: 5000 }) { id name } }'],
  ['an object in an object', '{ orders(options: { page: { first: 5001 } }) { id name } }'],
  ['a list of objects', '{ orders(pages: [{ first: 1 }, { first: 5001 }]) { id name } }'],
  ['a variable in an object', 'query ($n: Int) { orders(page: { first: $n }) { id } }', { n: 9_999 }],
  ['an object in a variable', 'query ($p: Page) { orders(page: $p) { id } }', { p: { first: 9_999 } }],
  ['another spelling', '{ orders(page_size: 5001) { id name } }'],
  ['one more spelling', '{ orders(perPage: 5001) { id name } }'],
  ['a text in an object', '{ orders(page: { first: "5001" }) { id name } }'],
] as const)
  test(`attack: the size of a list is in ${what}`, () => {
    assert.match(cost(text, variables).problems.join(), /the query costs/)
  })

test('a filter, and what a mutation writes, may have members that are called like sizes', () => {
  for (const text of [
    '{ customers(where: { limit: 5001 }) { id name } }',
    '{ customers(filter: { limit: { _gt: 5001 } }) { id name } }',
    'mutation { setCredit(input: { limit: 5001 }) { id name } }',
    '{ a(page: { first: null }) { id } b(page: { first: ASC }) { id } }',
  ])
    assert.deepEqual(cost(text).problems, [], text)
  const inner = 'mutation { setCredit(input: { limit: 1 }) { orders(page: { first: 5001 }) { id name } } }'
  assert.match(cost(inner).problems.join(), /the query costs/)
})

test('attack: directives by the thousand, which a server validates one by one', () => {
  const flood = ' @include(if: true)'.repeat(2_000)
  for (const text of [
    `{ a${flood} }`,
    `query${flood} { a }`,
    `{ ...${flood} { a } }`,
    `{ ...f${flood} } fragment f on Q { a }`,
    `{ ...f } fragment f on Q${flood} { a }`,
    `query ($x: Int${flood}) { a }`,
  ])
    assert.match(cost(text).problems.join(), /directives/, text.slice(0, 30))
  assert.deepEqual(cost(`{ ${'a @include(if: true) @tag(name: "x") '.repeat(9)} }`).problems, [])
  assert.match(
    cost(`{ a @pick(ids: [${many(500).map(id => `"${id}"`)}]) }`).problems.join(),
    /a list of 500 items/,
  )
})

test('attack: a list behind ten thousand members of an object', () => {
  const filler = Object.fromEntries(many(10_000).map(id => [id, 1]))
  const { problems } = cost('mutation ($w: JSON) { remove(where: $w) { count } }', {
    w: { ...filler, ids: many(1_000) },
  })
  assert.notDeepEqual(problems, [])
})
