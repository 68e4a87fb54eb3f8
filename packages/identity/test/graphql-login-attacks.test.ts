import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RouteSettings } from '@postern/core'
import { answerJson } from '../src/login-defence/answer-test.ts'
import { isShaped } from '../src/login-defence/graphql-shape.ts'
import { graphqlTokens } from '../src/login-defence/graphql-tokens.ts'
import { addressOf, type Backend, LoginWorld } from './login-harness.ts'

const LOGIN = 'mutation ($e: String!, $p: String!) { login(email: $e, password: $p) { token } }'
const RESET = 'mutation ($e: String!) { requestReset(email: $e) { ok } }'
const VICTIM = { e: 'alice@example.com', email: 'alice@example.com', p: 'guess' }
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const named = (text: string): object => ({ persistedQuery: { version: 1, sha256Hash: hashOf(text) } })

const FAILED: Backend = { status: 200, body: '{"errors":[{"message":"no"}],"data":null}' }
const RIGHT: Backend = { status: 200, body: '{"data":{"login":{"token":"t"}}}' }
const graphql = { field: 'login', account: 'email' }
const worldOf = (login: RouteSettings['login'], backend = FAILED): LoginWorld =>
  new LoginWorld({ 'POST /graphql': { login: login ?? false } }, () => backend)

/** How many of so many guesses at one account, each from another address, reach the backend. */
async function guessed(
  world: LoginWorld,
  body: string,
  path = '/graphql',
  type = 'application/json',
): Promise<number> {
  let handled = 0
  for (let i = 0; i < 40; i++)
    if ((await world.send({ path, body, type, address: addressOf(i) })).handled) handled++
  return handled
}

describe('a login by GraphQL', () => {
  for (const [how, text] of [
    ['a fragment called "query"', '... query login(email: $e, password: $p) { token }'],
    ['a fragment called "mutation"', '...\nmutation login(email: $e, password: $p) { token }'],
    ['a field called "subscription"', 'subscription login(email: $e, password: $p) { token }'],
    ['a field called "query", in a fragment', '... { query login(email: $e, password: $p) { token } }'],
  ] as const)
    test(`attack: stands behind ${how}`, async () => {
      const document = `mutation M($e: String!, $p: String!) { ${text} } fragment query on Mutation { __typename } fragment mutation on Mutation { __typename }`
      const body = JSON.stringify({ query: document, variables: VICTIM })
      assert.ok((await guessed(worldOf({ graphql }), body)) <= 10)
    })

  test('an operation, a variable and a directive may be called as the login is', async () => {
    const world = worldOf({ graphql })
    for (const text of [
      'query login($email: String) { products(of: $email) { id } }',
      'mutation login($login: In = { login: 1 }) @login(email: "a") { save(input: $login) { id } }',
    ])
      assert.equal(await guessed(world, JSON.stringify({ query: text, variables: VICTIM })), 40, text)
  })

  const hashed = { extensions: named(LOGIN), variables: VICTIM }
  const texts = new URLSearchParams({
    extensions: JSON.stringify(named(LOGIN)),
    variables: JSON.stringify(VICTIM),
  })
  for (const [where, body, path, type] of [
    ['alone', JSON.stringify(hashed)],
    ['beside an empty document', JSON.stringify({ query: '', ...hashed })],
    ['beside a document of spaces', JSON.stringify({ query: ' \n', ...hashed })],
    ['in JSON in JSON', JSON.stringify({ ...hashed, extensions: JSON.stringify(named(LOGIN)) })],
    ['in a batch', JSON.stringify([{ query: '{ a }' }, hashed])],
    ['as the id of a document', JSON.stringify({ documentId: `sha256:${hashOf(LOGIN)}`, variables: VICTIM })],
    ['as another id', JSON.stringify({ doc_id: '4711', variables: VICTIM })],
    ['in a form', texts.toString(), '/graphql', 'application/x-www-form-urlencoded'],
    ['in the query', '', `/graphql?${texts}`],
    ['in the query, beside a document', JSON.stringify({ query: '{ a }' }), `/graphql?${texts}`],
  ] as const)
    for (const [when, login] of [
      ['no stored operation is named', { graphql }],
      ['stored operations are named', { graphql: { ...graphql, operations: ['Other'] } }],
    ] as const)
      test(`attack: names its document by its hash, ${where}, where ${when}`, async () => {
        const world = worldOf(login)
        await world.send({
          path: '/graphql',
          body: JSON.stringify({ query: LOGIN, extensions: named(LOGIN), variables: VICTIM }),
        })
        assert.ok((await guessed(world, body, path, type)) <= 10, 'by a process that saw the text')
        assert.ok((await guessed(worldOf(login), body, path, type)) <= 10, 'by another one')
      })

  test('attack: another stored operation about somebody makes a browser known to their account', async () => {
    const world = worldOf({ graphql }, { status: 200, body: '{"data":{"requestReset":{"ok":true}}}' })
    const body = JSON.stringify({ extensions: named(RESET), variables: VICTIM })
    const first = await world.send({ path: '/graphql', body, address: addressOf(1) })
    assert.equal(first.handled, true)
    world.backend = () => FAILED
    let handled = 0
    const cookie = first.headers.join(';')
    for (let i = 0; i < 20; i++) {
      const text = JSON.stringify({ query: LOGIN, variables: { ...VICTIM, p: String(i) } })
      const sent = { path: '/graphql', body: text, address: addressOf(1), headers: { cookie } }
      if ((await world.send(sent)).handled) handled++
    }
    assert.ok(handled <= 3, `${handled} guesses of an unknown client`)
  })

  test('stored operations that are known to be others are left alone, and a login by its hash is certain', async () => {
    const world = worldOf({ graphql })
    await world.send({
      path: '/graphql',
      body: JSON.stringify({ query: RESET, extensions: named(RESET), variables: VICTIM }),
    })
    const body = JSON.stringify({ extensions: named(RESET), variables: VICTIM })
    assert.equal(await guessed(world, body), 40)
    const stored = worldOf({ graphql: { ...graphql, operations: ['SignIn'] } })
    const other = JSON.stringify({ ...hashed, operationName: 'Invite' })
    assert.equal(await guessed(stored, other), 40)
    assert.equal(await guessed(stored, JSON.stringify({ extensions: named('{ a }') })), 40)
    world.backend = () => RIGHT
    await world.send({
      path: '/graphql',
      body: JSON.stringify({
        query: LOGIN,
        extensions: named(LOGIN),
        variables: { ...VICTIM, e: 'bob@x.y' },
      }),
    })
    const bob = JSON.stringify({ extensions: named(LOGIN), variables: { e: 'bob@x.y', p: 'right' } })
    await world.send({ path: '/graphql', body: bob, address: addressOf(9) })
    assert.deepEqual(
      world.events.slice(-2).map(({ type }) => type),
      ['login.succeeded', 'login.succeeded'],
    )
  })
})

describe('a login in JSON that says it is a form', () => {
  const FORM = 'application/x-www-form-urlencoded'
  const rpc = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'login',
    params: { email: 'alice@example.com' },
  })
  for (const [what, login, body] of [
    ['JSON-RPC', { jsonRpc: { method: 'login', account: 'email' } }, rpc],
    [
      'JSON-RPC, with the sign of a form in it',
      { jsonRpc: { method: 'login', account: 'email' } },
      rpc.replace('"2.0"', '"2.0&a=b"'),
    ],
    ['GraphQL', { graphql }, JSON.stringify({ query: LOGIN, variables: VICTIM })],
    ['plain JSON', { account: 'email' }, JSON.stringify({ email: 'alice@example.com', password: 'x' })],
  ] as const)
    test(`attack: ${what}`, async () => {
      assert.ok((await guessed(worldOf(login), body, '/graphql', FORM)) <= 10)
    })

  test('a form is a form', async () => {
    const world = worldOf({ account: 'email' })
    const body = 'email=bob%40x.y&password=%7B%22a%22%3A1%7D'
    assert.equal((await world.send({ path: '/graphql', body, type: FORM })).handled, true)
  })
})

test('attack: stuffing takes another IPv6 address of its network for each account', async () => {
  const world = new LoginWorld({ 'POST /login': { login: { account: 'email' } } }, () => ({ status: 401 }))
  for (let i = 0; i < 6; i++) {
    const body = JSON.stringify({ email: `someone${i}@x.y`, password: 'x' })
    await world.send({ body, address: `2001:db8:1:2::${i + 1}` })
  }
  assert.ok(world.events.some(({ type }) => type === 'login.stuffing'))
})

describe('an answer that its client shaped', () => {
  // The backend tells of a wrong password in the data, as many do.
  const answer = (data: object): Backend => ({ status: 200, body: JSON.stringify({ data }) })
  const wrong = { login: { token: null, errors: ['no'] } }
  for (const [how, text, data, tests] of [
    [
      'calls another field "token"',
      'login(email: $e, password: $p) { token: __typename }',
      { login: { token: 'Payload' } },
    ],
    [
      'calls another field "session", in a fragment',
      'login(email: $e, password: $p) { ...f } } fragment f on Payload { session: __typename',
      { login: { session: 'Payload' } },
    ],
    [
      'asks for a token of its own beside it',
      'login(email: $e, password: $p) { ok } renew { token }',
      { login: { ok: null }, renew: { token: 't' } },
    ],
    [
      'calls another field as the login is',
      'x: login(email: $e, password: $p) { token } login: renew { token }',
      { x: { token: null }, login: { token: 't' } },
      { succeeded: answerJson('data.login.token') },
    ],
    [
      'does not ask for errors',
      'login(email: $e, password: $p) { ok }',
      { login: { ok: null } },
      { failed: answerJson('data.login.errors') },
    ],
    [
      'calls the login otherwise',
      'x: login(email: $e, password: $p) { errors }',
      { x: wrong.login },
      { failed: answerJson('data.login.errors') },
    ],
  ] as readonly (readonly [string, string, object, object?])[])
    for (const named of ['by its text', 'by its hash'])
      test(`attack: ${how} (${named}), and passes for a success`, async () => {
        const world = worldOf({ graphql, ...tests }, answer(data))
        const query = `mutation ($e: String!, $p: String!) { ${text} }`
        const extensions = { persistedQuery: { version: 1, sha256Hash: hashOf(query) } }
        await world.send({ path: '/graphql', body: JSON.stringify({ query, extensions, variables: VICTIM }) })
        const asked = named === 'by its text' ? { query } : { extensions }
        assert.ok((await guessed(world, JSON.stringify({ ...asked, variables: VICTIM }))) <= 10)
        assert.ok(world.events.every(({ type }) => type !== 'login.succeeded'))
      })

  test('attack: a batch of one has an answer in a list, where no test finds an error', async () => {
    for (const [login, one, said] of [
      [{ graphql, failed: answerJson('errors') }, { query: LOGIN, variables: VICTIM }, { errors: ['no'] }],
      [
        { jsonRpc: { method: 'login', account: 'email' }, failed: answerJson('error') },
        { jsonrpc: '2.0', id: 1, method: 'login', params: VICTIM },
        { error: { code: 1 } },
      ],
      [
        { account: 'email', failed: answerJson('error') },
        { email: VICTIM.email, password: 'x' },
        { error: 'no' },
      ],
    ] as const) {
      const world = worldOf(login, { status: 200, body: JSON.stringify([said]) })
      assert.ok((await guessed(world, JSON.stringify([one]))) <= 10, JSON.stringify(login))
      assert.ok(world.events.every(({ type }) => type !== 'login.succeeded'))
    }
  })

  test('what the backend says to a plain document counts', async () => {
    for (const [login, data] of [
      [{ graphql }, { login: { token: 't' } }],
      [{ graphql, failed: answerJson('data.login.errors') }, { login: { token: 't', errors: [] } }],
      [{ graphql, succeeded: answerJson('data.login.token') }, { login: { token: 't' } }],
    ] as const) {
      const world = worldOf(login, answer(data))
      for (const query of [LOGIN, `${LOGIN} fragment f on Payload { a b } query Other { a b c }`]) {
        await world.send({ path: '/graphql', body: JSON.stringify({ query, variables: VICTIM }) })
        assert.equal(world.events.at(-1)?.type, 'login.succeeded', query)
      }
    }
  })
})

test('a document shapes its answer by fields beside the login, by fragments there, and by names of its own', () => {
  const shaped = (text: string): boolean => isShaped(graphqlTokens(text) ?? [])
  for (const text of [
    '{ login(a: 1) { token: b } }',
    'query fragment { login(a: 1) { b } renew { token } }',
    'fragment f on P { a } mutation { login(a: 1) { b } renew { token } }',
    'mutation { login(a: 1) { b } ...f }',
    'mutation { ... on M { login(a: 1) { b } } }',
    'mutation { login(a: 1) renew }',
  ])
    assert.equal(shaped(text), true, text)
  for (const text of [
    'mutation M($i: In = { a: 1 }) @d(a: 1) { login(input: { a: 1, b: $i }) @include(if: true) { a b { c d } } }',
    'mutation { login(a: 1) { ...f } } fragment f on P { a b c } query Other { a } query { b }',
    '{ login(a: "{ b: c") }',
  ])
    assert.equal(shaped(text), false, text)
})
