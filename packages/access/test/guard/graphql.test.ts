import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Access, type Caller, type GraphqlLimits, graphqlCost, graphqlField } from '@postern/access'
import { requestUrn } from '@postern/core'
import { GraphQLObjectType, GraphQLSchema, GraphQLString, graphql, parse } from 'graphql'
import { exchangeOf } from '../support/exchange.ts'

const access = new Access()
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      name: { type: GraphQLString, resolve: () => 'shop' },
      salary: {
        type: GraphQLString,
        resolve: graphqlField(
          access,
          { action: 'salary.read', require: { role: 'finance' }, caller: (context: Caller) => context },
          () => '4812',
        ),
      },
    },
  }),
})

test('a field is resolved for those who may read it, and the others learn what is missing', async () => {
  const ask = (roles: readonly string[]) =>
    graphql({
      schema,
      source: '{ name salary }',
      contextValue: { principal: { kind: 'user', id: 'a', roles } },
    })
  assert.deepEqual({ ...(await ask(['finance'])).data }, { name: 'shop', salary: '4812' })
  const { data, errors } = await ask([])
  assert.deepEqual({ ...data }, { name: 'shop', salary: null })
  assert.deepEqual(
    [errors?.[0]?.extensions['code'], errors?.[0]?.extensions['why'], errors?.[0]?.extensions['status']],
    ['POSTERN_REFUSED', 'role', 403],
  )
})

test('a refused field names the request, for whoever can look it up', async () => {
  const exchange = exchangeOf()
  const { errors } = await graphql({
    schema,
    source: '{ salary }',
    contextValue: { principal: { kind: 'user', id: 'a' }, exchange },
  })
  assert.equal(errors?.[0]?.extensions['instance'], requestUrn(exchange))
})

const cost = (text: string, limits: GraphqlLimits = {}, variables: Record<string, unknown> = {}) =>
  graphqlCost({ ...parse(text, { noLocation: true }) }, limits, variables)

test('cost is fields times the sizes of the lists around them', () => {
  assert.deepEqual(cost('{ orders(first: 10) { id items(limit: 5) { id name } } }'), {
    depth: 3,
    cost: 1 + 10 * (1 + 1 + 5 * 2),
    problems: [],
  })
  assert.equal(cost('query ($n: Int) { orders(first: $n) { id } }', {}, { n: 50 }).cost, 51)
  assert.equal(cost('{ a { ...f } } fragment f on A { b { c } }').depth, 3)
  assert.equal(cost('{ dear cheap }', { fields: { dear: 100 } }).cost, 101)
})

const times = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')
const deep = (levels: number): string => `${'{ a '.repeat(levels)}${'}'.repeat(levels)}`
const attacks: readonly (readonly [string, string, RegExp, Record<string, unknown>?])[] = [
  ['a deep query', deep(13), /13 fields deep/],
  ['a very deep query', deep(1_500), /fields deep/],
  ['a list of lists', '{ a(first: 100) { b(first: 100) { c } } }', /costs 10101/],
  ['a size in a variable', 'query ($n: Int) { a(first: $n) { b } }', /costs/, { n: 100_000 }],
  ['a size in the default of a variable', 'query ($n: Int = 100000) { a(first: $n) { b } }', /costs/],
  ['a size that is not a number', '{ a(first: "99999") { b } }', /costs/],
  ['a negative size', '{ a(first: -1) { b } }', /costs/],
  ['the more expensive of two operations', 'query A { x } query B { a(first: 100000) { b } }', /costs/],
  [
    'a login guessed by aliases',
    `{ ${Array.from({ length: 11 }, (_, i) => `a${i}: login(p: "${i}")`).join(' ')} }`,
    /"login" is asked for under more than 10 names/,
  ],
  ...(
    [
      ['inline fragments', i => `... { a${i}: login }`],
      ['typed fragments', i => `... on Query { a${i}: login }`],
      ['fragments', i => `...f${i}`, i => `fragment f${i} on Query { a${i}: login }`],
      ['objects that are merged', i => `viewer { a${i}: login }`],
      ['objects that are merged, in fragments', i => `... { viewer { ... { a${i}: login } } }`],
    ] as readonly (readonly [string, (i: number) => string, ((i: number) => string)?])[]
  ).map(
    ([name, selection, definition]) =>
      [
        `a login guessed by aliases in ${name}`,
        `{ ${times(11, selection)} } ${definition === undefined ? '' : times(11, definition)}`,
        /"login" is asked for under more than 10 names/,
      ] as const,
  ),
  [
    'a mass deletion in one list',
    `mutation { remove(ids: [${Array.from({ length: 101 }, (_, i) => i).join(', ')}]) }`,
    /list of 101 items/,
  ],
  [
    'the same in a variable, inside an object',
    'mutation ($x: In) { remove(x: $x) }',
    /list of 101 items/,
    { x: { ids: Array(101).fill(1) } },
  ],
  [
    'fragments that contain each other',
    '{ ...a } fragment a on Q { ...b } fragment b on Q { ...a }',
    /contains itself/,
  ],
  [
    'fragments that double at every step',
    `{ ...f0 } ${Array.from({ length: 30 }, (_, i) => `fragment f${i} on Q { x { ...f${i + 1} } y { ...f${i + 1} } }`).join(' ')} fragment f30 on Q { z }`,
    /too large|deep/,
  ],
]
test('a field that many fragments ask for under one name is asked for once', () => {
  const text = `{ ${times(30, i => `...f${i}`)} } ${times(30, i => `fragment f${i} on Q { id viewer { id } a: id }`)}`
  assert.deepEqual(cost(text).problems, [])
})

for (const [name, text, problem, variables] of attacks)
  test(`refuses ${name}`, () => {
    assert.match(cost(text, {}, variables).problems.join('; '), problem)
  })
