import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { Access, Approvals, agent, type Caller, ToolGuard, type ToolResult } from '@postern/access'
import { ConfigError, type Principal, requestUrn, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf } from '../support/exchange.ts'
import { shopPolicies } from '../support/shop.ts'

const ALICE: Principal = { kind: 'user', id: 'alice', roles: ['support'] }
const BOT: Principal = { kind: 'service', id: 'bot', roles: ['support', 'admin'] }
const HOUR = 3_600_000
const done: ToolResult = { content: [{ type: 'text', text: 'done' }] }

function setting(options: { owner?: Principal; calls?: number; rows?: number } = {}) {
  const clock = new VirtualClock()
  const approvals = new Approvals({ database: openSqlite({ path: ':memory:' }), clock })
  const bot = agent({
    owner: options.owner ?? ALICE,
    actions: ['order.*', 'report'],
    budget: {
      window: '1h',
      ...(options.calls !== undefined && { calls: options.calls }),
      ...(options.rows !== undefined && { rows: options.rows }),
    },
  })
  const access = new Access({
    policies: shopPolicies,
    approvals,
    clock,
    agentOf: principal => (principal.id === 'bot' ? bot : undefined),
  })
  const tools = new ToolGuard(access, {
    read_order: {
      action: 'order.read',
      resource: ({ id }) => ({ type: 'order', fields: { id, customer: id === 1 ? 'alice' : 'bob' } }),
    },
    refund: { action: 'order.refund', require: { role: 'support' } },
    wipe: {
      action: 'order.wipe',
      approve: { by: 'owner', rows: 10 },
      preview: () => ({ rows: { orders: 7 } }),
    },
    admin: { action: 'order.admin', require: { role: 'admin' } },
    mail: { action: 'mail.send' },
  })
  return { access, approvals, tools, clock }
}

const text = (result: { content: readonly { text: string }[] }): string => result.content[0]?.text ?? ''

test('a tool without a rule is refused, also one that is named like a method', async () => {
  const { tools } = setting()
  for (const name of ['delete_everything', 'toString', '__proto__', '']) {
    const result = await tools.call(name, {}, { principal: ALICE }, () => done)
    assert.equal(result.isError, true)
    assert.match(text(result), /has no rule/)
  }
  assert.throws(
    () => tools.checkCovers(['refund', 'new_tool']),
    (error: unknown) => error instanceof ConfigError && /tools\.new_tool/.test(error.message),
  )
})

test('an agent may do what both it and its owner may', async () => {
  const { tools } = setting()
  const call = async (name: string, args = {}): Promise<string> =>
    text(await tools.call(name, args, { principal: BOT }, () => done))
  assert.equal(await call('refund'), 'done')
  // The agent has the role, its owner has not.
  assert.match(await call('admin'), /may not do this/)
  // Not in the agent's list.
  assert.match(await call('mail'), /may not do this/)
  // The owner's order is the owner's, not the agent's.
  assert.match(await call('read_order', { id: 1 }), /may not do this/)
  assert.deepEqual(tools.visible({ principal: BOT }), ['read_order', 'refund', 'wipe'])
})

test('a refused call names the request, where there is one', async () => {
  const { tools } = setting()
  const exchange = exchangeOf()
  const ask = (caller: Caller) => tools.call('read_order', { id: 2 }, caller, () => done)
  const [within, outside] = [await ask({ principal: ALICE, exchange }), await ask({ principal: ALICE })]
  assert.match(text(within), /ask an administrator and give them the request id\. The request is urn:/)
  assert.equal(within.structuredContent?.['instance'], requestUrn(exchange))
  assert.match(text(outside), /ask an administrator\.$/)
  assert.equal(outside.structuredContent?.['instance'], undefined)
})

test('an agent spends its own budget of calls, and learns when to retry', async () => {
  const { tools, clock } = setting({ calls: 3 })
  const call = () => tools.call('refund', {}, { principal: BOT }, () => done)
  for (let i = 0; i < 3; i++) assert.equal(text(await call()), 'done')
  clock.advance(HOUR / 2)
  const over = await call()
  assert.equal(over.isError, true)
  assert.match(text(over), /budget .* is used up\. Try again in 30m/)
  assert.equal(over.structuredContent?.['status'], 429)
  assert.equal(text(await tools.call('refund', {}, { principal: ALICE }, () => done)), 'done')
  // No double budget at the boundary of two windows.
  clock.advance(HOUR / 2 + 1)
  assert.equal((await call()).isError, true)
  clock.advance(HOUR / 2)
  assert.equal(text(await call()), 'done')
})

test('rows that an agent changes come off its budget', async () => {
  const { tools } = setting({ rows: 20 })
  const call = (rows: number) =>
    tools.call('refund', {}, { principal: BOT }, (_args, { changed }) => {
      changed(rows)
      return done
    })
  await call(19)
  assert.equal(text(await call(5)), 'done')
  assert.match(text(await call(1)), /used up/)
})

test('an agent asks its owner, who is shown what it would do', async () => {
  const { tools, approvals } = setting()
  const call = () => tools.call('wipe', { before: '2020' }, { principal: BOT }, () => done)
  const first = await call()
  assert.match(text(first), /consent of a second person: the agent's owner/)
  const id = (first.structuredContent?.['approval'] as { id: string } | undefined)?.id ?? ''
  const shown = await approvals.get(id, ALICE)
  assert.deepEqual([shown.owner, shown.preview.rows, shown.rows], ['user:alice', { orders: 7 }, 10])
  await approvals.decide(id, ALICE, 'approve')
  assert.equal(text(await call()), 'done')
  assert.equal((await call()).isError, true)
})

test('a tool of an MCP server is guarded, end to end', async () => {
  const { tools } = setting()
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  let caller: Caller = { principal: ALICE }
  server.registerTool('refund', { description: 'refunds an order' }, async () => ({
    ...(await tools.call('refund', {}, caller, () => done)),
  }))
  tools.checkCovers(['refund'])
  const [near, far] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'model', version: '1.0.0' })
  await Promise.all([server.connect(far), client.connect(near)])
  assert.deepEqual((await client.callTool({ name: 'refund' })).content, done.content)
  caller = { principal: { kind: 'user', id: 'eve' } }
  const refused = await client.callTool({ name: 'refund' })
  assert.equal(refused.isError, true)
  assert.match(JSON.stringify(refused.content), /needs the role support/)
  await client.close()
})

test('refuses agents of nobody, and budgets that cannot hold', () => {
  assert.throws(() => agent({ owner: { kind: 'anonymous', id: '' }, actions: [] }), ConfigError)
  for (const budget of [
    { window: '1ms' },
    { window: '1h', calls: -1 },
    { window: '1h', perAction: { a: 0.5 } },
  ])
    assert.throws(() => agent({ owner: ALICE, actions: [], budget }), ConfigError)
})
