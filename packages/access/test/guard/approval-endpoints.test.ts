import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Access, ApprovalEndpoints, type ApprovalEndpointsOptions, Approvals } from '@postern/access'
import { type Decision, type Principal, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf, type RequestOptions } from '../support/exchange.ts'

const FINN: Principal = { kind: 'user', id: 'finn' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'], authenticatedAt: Date.UTC(2026, 0, 1) }
const JSON_TYPE = ['Content-Type', 'application/json']

async function setting(t: TestContext, names?: ApprovalEndpointsOptions['names']) {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock })
  const endpoints = new ApprovalEndpoints({
    approvals,
    access: new Access({ clock }),
    require: { stepUp: '10m' },
    ...(names !== undefined && { names }),
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
  return { approvals, endpoints, ask, decide, id, target: `/.postern/approvals/${id}` }
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
  assert.equal((await decide(OLGA, approve)).status, 409)
  assert.equal(
    (await decide({ ...FINN, authenticatedAt: Date.UTC(2026, 0, 1) }, '{"decision":"cancel"}')).body['state'],
    'cancelled',
  )
})

const BROWSER = ['Sec-Fetch-Mode', 'navigate', 'Accept', 'text/html']
const FORM = ['Content-Type', 'application/x-www-form-urlencoded', ...BROWSER]

test('a browser gets a page: rows and a form for whoever decides, the state for whoever asked', async t => {
  const { endpoints, target, id } = await setting(t)
  const look = async (principal: Principal, path: string, language = 'en'): Promise<string> => {
    const headers = [...BROWSER, 'Accept-Language', language]
    const said = await endpoints.decide(exchangeOf({ principal, target: path, headers }))
    assert.ok(said.effect === 'allow' && said.answer !== undefined)
    assert.ok(said.answer.headers.join(' ').includes("form-action 'self'"))
    return String(said.answer.body)
  }
  assert.match(await look(OLGA, '/.postern/approvals'), new RegExp(`href="/.postern/approvals/${id}"`))
  assert.match(await look(FINN, '/.postern/approvals'), /Nothing is waiting for you/)
  const asked = await look(OLGA, target)
  for (const part of [
    'invoice.purge',
    'user:finn',
    '<th scope="row">invoices</th><td>3</td>',
    '{&#34;id&#34;:1}',
  ])
    assert.ok(asked.includes(part), part)
  assert.match(asked, /value="approve".*value="deny"/)
  const mine = await look(FINN, target, 'ar')
  assert.match(mine, /<html lang="ar" dir="rtl">/)
  assert.ok(mine.includes('value="cancel"') && !mine.includes('value="approve"') && !mine.includes('&#34;id'))
})

test('the form of the page decides, and no other page can send it', async t => {
  const { endpoints, approvals, target, id } = await setting(t)
  const send = async (
    ...headers: readonly string[]
  ): Promise<{ status: number; headers: readonly string[] }> => {
    const body = 'decision=approve&note=fine'
    const request = { principal: OLGA, method: 'POST', target, headers: [...FORM, ...headers], body }
    const said = await endpoints.decide(exchangeOf(request))
    return said.effect === 'allow'
      ? (said.answer ?? { status: 0, headers: [] })
      : { status: said.status, headers: [] }
  }
  assert.equal((await send()).status, 415)
  assert.equal((await send('Origin', 'https://evil.example')).status, 415)
  assert.equal((await send('Origin', 'null')).status, 415)
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal((await send('Sec-Fetch-Site', site, 'Origin', 'https://shop.example')).status, 415)
  assert.equal((await approvals.show(id)).state, 'pending')
  const { status, headers } = await send('Sec-Fetch-Site', 'same-origin')
  assert.deepEqual([status, headers[headers.indexOf('Location') + 1]], [303, target])
  assert.deepEqual([(await approvals.show(id)).state, (await approvals.show(id)).note], ['approved', 'fine'])
})

test('who decides reads whom they know beside the id, and nothing that a name pretends', async t => {
  const asked: (readonly string[])[] = []
  const { endpoints, ask, decide, target } = await setting(t, async actors => {
    asked.push(actors)
    return { 'user:finn': 'finn@shop.example (Finn <b>\u202eOwner)' }
  })
  for (const path of ['/.postern/approvals', target]) {
    const said = await endpoints.decide(exchangeOf({ principal: OLGA, target: path, headers: BROWSER }))
    assert.ok(said.effect === 'allow' && said.answer !== undefined)
    const page = String(said.answer.body)
    assert.ok(page.includes('finn@shop.example (Finn &#60;b&#62;\\u{202e}Owner), user:finn'), page)
  }
  assert.equal((await ask(OLGA, { target })).body['actorName'], 'finn@shop.example (Finn <b>\u202eOwner)')
  const decided = await decide(OLGA, '{"decision":"approve"}')
  assert.equal(decided.body['actor'], 'user:finn')
  assert.equal(decided.body['actorName'], 'finn@shop.example (Finn <b>\u202eOwner)')
  assert.ok(asked.every(actors => actors.includes('user:finn') && actors.includes('role:owner')))
})
