import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { edgeBudget, graphqlCost } from '@postern/access'
import { type Decision, Engine, type Guard, VirtualClock } from '@postern/core'
import { parse } from 'graphql'
import { countDocument } from '../src/edge/count-graphql.ts'

const many = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `id-${i}`)

async function post(guard: Guard, body: object): Promise<Decision['effect']> {
  const engine = new Engine({ guards: [guard] })
  const bytes = Buffer.from(JSON.stringify(body))
  const exchange = engine.open({
    method: 'POST',
    target: '/graphql',
    headers: ['Host', 'shop.example', 'Content-Type', 'application/json'],
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
