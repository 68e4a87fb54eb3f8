import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Access, ApprovalEndpoints, Approvals } from '@postern/access'
import { type Decision, type Principal, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf, type RequestOptions } from '../support/exchange.ts'

const FINN: Principal = { kind: 'user', id: 'finn' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'], authenticatedAt: Date.UTC(2026, 0, 1) }
const JSON_TYPE = ['Content-Type', 'application/json']

async function setting(t: TestContext) {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock })
  const endpoints = new ApprovalEndpoints({
    approvals,
    access: new Access({ clock }),
    require: { stepUp: '10m' },
  })
  const { id } = await approvals.request({
    act: { actor: 'user:finn', action: 'invoice.purge', resource: '', arguments: { before: '2020' } },
    principal: FINN,
    by: 'role:owner',
    preview: { rows: { invoices: 3 }, sample: [{ id: 1 }] },
  })
  const ask = async (
    principal: Principal,
    request: RequestOptions,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const said: Decision = await endpoints.decide(exchangeOf({ principal, ...request }))
    if (said.effect !== 'allow') return { status: said.status, body: {} }
    if (said.answer === undefined) return { status: 0, body: {} }
    return {
      status: said.answer.status,
      body: JSON.parse(String(said.answer.body)) as Record<string, unknown>,
    }
  }
  const decide = (principal: Principal, body: string, more: RequestOptions = {}) =>
    ask(principal, { method: 'POST', target: `/.postern/approvals/${id}`, headers: JSON_TYPE, body, ...more })
  return { approvals, ask, decide, id, target: `/.postern/approvals/${id}` }
}

test('who decides sees the rows, who asked sees the state, others see nothing', async t => {
  const { ask, target, id } = await setting(t)
  const shown = await ask(OLGA, { target })
  assert.deepEqual(
    [shown.status, shown.body['mayDecide'], shown.body['preview']],
    [200, true, { rows: { invoices: 3 }, sample: [{ id: 1 }] }],
  )
  const mine = await ask(FINN, { target })
  assert.deepEqual(
    [mine.status, mine.body['mayDecide'], mine.body['preview']],
    [200, false, { rows: { invoices: 3 } }],
  )
  assert.equal((await ask({ ...FINN, id: 'eve' }, { target })).status, 404)
  assert.equal((await ask({ kind: 'anonymous', id: '' }, { target })).status, 401)
  const list = await ask(OLGA, { target: '/.postern/approvals' })
  assert.deepEqual(
    (list.body['approvals'] as { id: string }[]).map(one => one.id),
    [id],
  )
  assert.deepEqual((await ask(FINN, { target: '/.postern/approvals' })).body['approvals'], [])
  assert.equal((await ask(OLGA, { target: '/.postern/approvals-of-others' })).status, 0)
})

test('a decision is taken once, by the right person, freshly signed in, from the same origin', async t => {
  const { decide, approvals, id } = await setting(t)
  const approve = '{"decision":"approve","note":"fine"}'
  assert.equal((await decide({ ...FINN, authenticatedAt: Date.UTC(2026, 0, 1) }, approve)).status, 403)
  assert.equal((await decide({ ...OLGA, authenticatedAt: 0 }, approve)).status, 401)
  assert.equal((await decide(OLGA, approve, { headers: ['Content-Type', 'text/plain'] })).status, 415)
  assert.equal(
    (await decide(OLGA, approve, { headers: [...JSON_TYPE, 'Sec-Fetch-Site', 'cross-site'] })).status,
    415,
  )
  for (const body of [
    '',
    '{}',
    'null',
    '[]',
    '{"decision":"maybe"}',
    `{"decision":"approve","note":"${'x'.repeat(5_000)}"}`,
  ])
    assert.equal((await decide(OLGA, body, { bodyLimit: 100_000 })).status, 400)
  assert.equal((await approvals.get(id, OLGA)).state, 'pending')
  assert.equal((await decide(OLGA, approve)).body['state'], 'approved')
  assert.equal((await decide(OLGA, '{"decision":"deny"}')).status, 409)
  assert.equal(
    (await decide({ ...FINN, authenticatedAt: Date.UTC(2026, 0, 1) }, '{"decision":"cancel"}')).body['state'],
    'cancelled',
  )
})
