import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Access, Approvals, type Caller, graphqlField, ToolGuard } from '@postern/access'
import { type Principal, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString, graphql } from 'graphql'

const SUE: Principal = { kind: 'user', id: 'sue' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'] }

test('attack: a consent to a field of one object is used on another', async t => {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock })
  const access = new Access({ approvals, clock })
  const options = { approve: { by: 'role:owner' }, caller: (context: Caller) => context }
  const done: unknown[] = []
  const purge = (kept: string) => ({
    type: GraphQLString,
    resolve: graphqlField(access, { ...options, action: `account.${kept}` }, source => {
      done.push(source)
      return 'purged'
    }),
  })
  const account = new GraphQLObjectType({
    name: 'Account',
    fields: { purge: purge('purge'), rest: { type: GraphQLString } },
  })
  const opaque = new GraphQLObjectType({ name: 'Opaque', fields: { purge: purge('opaque') } })
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        account: {
          type: account,
          args: { id: { type: GraphQLInt } },
          resolve: (_source: unknown, { id }: { id: number }) => ({ id, lazily: () => id }),
        },
        nameless: {
          type: account,
          args: { mail: { type: GraphQLString } },
          resolve: (_source: unknown, { mail }: { mail: string }) => ({ mail }),
        },
        opaque: { type: opaque, resolve: () => ({ key: new Map([['id', 1]]) }) },
        purgeAll: purge('purgeAll'),
      },
    }),
  })
  const ask = (source: string, rootValue?: unknown) =>
    graphql({ schema, source, rootValue, contextValue: { principal: SUE } })
  const consented = async (source: string, rootValue?: unknown): Promise<void> => {
    const { errors } = await ask(source, rootValue)
    const approval = errors?.[0]?.extensions['approval'] as { id: string } | undefined
    assert.ok(approval, JSON.stringify(errors))
    await approvals.decide(approval.id, OLGA, 'approve')
  }
  for (const [one, other] of [
    ['{ account(id: 1) { purge } }', '{ account(id: 2) { purge } }'],
    ['{ nameless(mail: "a") { purge } }', '{ nameless(mail: "b") { purge } }'],
  ] as const) {
    await consented(one)
    assert.ok((await ask(other)).errors, other)
    assert.deepEqual(done, [])
    assert.equal((await ask(one)).errors, undefined)
    assert.equal(done.splice(0).length, 1)
  }
  // Nobody can consent to what could be taken for something else.
  assert.match((await ask('{ opaque { purge } }')).errors?.[0]?.message ?? '', /resource/)
  // A field of the root is of nothing in particular, whatever the root is.
  await consented('{ purgeAll }', { db: new Map() })
  assert.equal((await ask('{ purgeAll }', { db: new Set() })).errors, undefined)
})

test('attack: a consent to a call of a tool is used with another set of ids', async t => {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const approvals = new Approvals({ database })
  const tools = new ToolGuard(new Access({ approvals }), { purge: { approve: { by: 'role:owner' } } })
  const call = (ids: unknown) =>
    tools.call('purge', { ids } as never, { principal: SUE }, () => ({ content: [] }))
  await assert.rejects(call(new Set([1])), TypeError)
  assert.ok('isError' in (await call([1])))
})
