import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  Access,
  AccessGuard,
  type AccessOptions,
  Approvals,
  openApiRoutes,
  RouteBudgets,
  RowBudgetExceeded,
} from '@postern/access'
import {
  ALLOW,
  ConfigError,
  type Decision,
  type Exchange,
  type Principal,
  type Refusal,
  type RouteSettings,
  refusalAnswer,
  VirtualClock,
} from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf, type RequestOptions } from '../support/exchange.ts'
import { shopPolicies } from '../support/shop.ts'
import { PlayedStepUp } from '../support/step-up.ts'

const SUE: Principal = { kind: 'user', id: 'sue', roles: ['support'], tenant: 'north' }
const ANN: Principal = { kind: 'user', id: 'ann' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'], tenant: 'north' }
const ORDERS = new Map([
  ['1', { id: 1, customer: 'ann' }],
  ['2', { id: 2, customer: 'bob' }],
])

const ROUTES: Readonly<Record<string, RouteSettings>> = {
  '/api/**': { require: {} },
  'GET /api/reports': { require: { role: 'support' } },
  'GET /api/orders/:id': { policy: { action: 'order.read', load: id => ORDERS.get(id) } },
  'GET /api/known/:id': { policy: 'order.read' },
  'DELETE /api/orders/:id': { require: { role: 'support', stepUp: '10m' } },
  'POST /api/purge': { require: { role: 'support' }, approve: { by: 'role:owner' } },
  'POST /api/confirm': { require: { stepUp: 'act' } },
}

function setting(t: TestContext, options: Partial<AccessOptions> = {}) {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock })
  const stepUp = new PlayedStepUp()
  const guard = new AccessGuard(new Access({ policies: shopPolicies, approvals, stepUp, clock, ...options }))
  const ask = (request: RequestOptions): { said: Decision | Promise<Decision>; exchange: Exchange } => {
    const exchange = exchangeOf({ routes: ROUTES, ...request })
    return { said: guard.decide(exchange), exchange }
  }
  return { guard, approvals, stepUp, ask }
}

function refused(said: Decision): Refusal {
  assert.notEqual(said.effect, 'allow')
  return said as Refusal
}

test('roles and policies in memory are answered at once', t => {
  const { ask } = setting(t)
  assert.equal(ask({ target: '/elsewhere' }).said, ALLOW)
  assert.equal(ask({ target: '/api/reports', principal: SUE }).said, ALLOW)
  const nobody = ask({ target: '/api/reports' }).said
  assert.ok(!(nobody instanceof Promise))
  assert.deepEqual([refused(nobody).status, refused(nobody).headers], [401, ['WWW-Authenticate', 'Bearer']])
  const wrong = ask({ target: '/api/reports', principal: ANN }).said
  assert.ok(!(wrong instanceof Promise))
  assert.equal(refused(wrong).status, 403)
  assert.equal(refused(wrong).reasons[0].rule, 'access/role')
})

test('letter case, HEAD and doubled slashes do not lead round a rule', t => {
  const { ask } = setting(t)
  for (const request of [
    { target: '/API/Reports' },
    { target: '/api//reports' },
    { target: '/api/x/../reports' },
    { target: '/api/%72eports' },
    { target: '/api/reports/' },
    { target: '/api/reports', method: 'HEAD' },
  ]) {
    const said = ask({ ...request, principal: ANN }).said
    assert.ok(!(said instanceof Promise))
    assert.notEqual(said.effect, 'allow', JSON.stringify(request))
  }
})

test('a policy is asked about the row that was looked up; a foreign row and none are refused in the same words', async t => {
  const { ask } = setting(t)
  assert.equal(await ask({ target: '/api/orders/1', principal: ANN }).said, ALLOW)
  const answers = await Promise.all(
    ['2', '3', "1' OR 1=1"].map(async id => {
      const { said, exchange } = ask({ target: `/api/orders/${encodeURIComponent(id)}`, principal: ANN })
      return refused(await said).content?.text.replace(exchange.id, 'ID')
    }),
  )
  assert.equal(new Set(answers).size, 1)
  const { said, exchange } = ask({ target: '/api/orders/2', principal: ANN })
  const answer = refusalAnswer(refused(await said), exchange)
  assert.doesNotMatch(answer.body, /default/)
  assert.equal(refused(await said).reasons[0].evidence?.facts?.['policy'], 'default')
})

test('nobody who has not signed in makes the application look anything up', async t => {
  const { guard } = setting(t)
  let lookups = 0
  const routes: Readonly<Record<string, RouteSettings>> = {
    '/x/:id': { require: { role: 'support' }, policy: { action: 'order.read', load: () => void lookups++ } },
  }
  const said = await guard.decide(exchangeOf({ routes, target: '/x/1', principal: ANN }))
  assert.deepEqual([refused(said).status, lookups], [403, 0])
})

test('a lookup that fails lets nobody through', async t => {
  const { guard } = setting(t)
  const routes: Readonly<Record<string, RouteSettings>> = {
    '/x/:id': {
      policy: { action: 'order.read', load: () => Promise.reject(new Error('the database is down')) },
    },
  }
  await assert.rejects(async () => guard.decide(exchangeOf({ routes, target: '/x/1', principal: ANN })))
  assert.equal(guard.failure, 'closed')
})

test('a stale sign-in is challenged as RFC 9470 says, and a fresh one passes', async t => {
  const { ask, stepUp } = setting(t)
  const request = { method: 'DELETE', target: '/api/orders/1', principal: SUE }
  const { said, exchange } = ask(request)
  const refusal = refused(await said)
  assert.equal(refusal.effect, 'challenge')
  const answer = refusalAnswer(refusal, exchange)
  assert.equal(answer.status, 401)
  const at = answer.headers.indexOf('WWW-Authenticate')
  assert.match(
    answer.headers[at + 1] ?? '',
    /^Bearer error="insufficient_user_authentication", max_age="600"$/,
  )
  const body = JSON.parse(answer.body) as Record<string, unknown>
  assert.equal(body['stepUp'], '/.postern/step-up')
  assert.match(String(body['next']), /Confirm at \/\.postern\/step-up, then try again/)
  stepUp.provenAt = exchange.time
  assert.equal(await ask(request).said, ALLOW)
})

test('consent on a route is bound to the whole request', async t => {
  const { ask, approvals } = setting(t)
  const request = {
    method: 'POST',
    target: '/api/purge?dry=0',
    principal: SUE,
    headers: ['Content-Type', 'application/json'],
    body: '{"ids":[1,2]}',
  }
  const { said, exchange } = ask(request)
  const answer = refusalAnswer(refused(await said), exchange)
  const { approval } = JSON.parse(answer.body) as { approval: { id: string; follow: string } }
  assert.equal(answer.status, 403)
  assert.equal(answer.headers[answer.headers.indexOf('Location') + 1], approval.follow)
  assert.equal(approval.follow, `/.postern/approvals/${approval.id}`)
  await approvals.decide(approval.id, OLGA, 'approve')
  for (const change of [
    { target: '/api/purge?dry=1' },
    { target: '/api/purge' },
    { body: '{"ids":[1,2,3]}' },
    { headers: ['Content-Type', 'application/x-www-form-urlencoded'] },
    { headers: [...request.headers, 'X-HTTP-Method-Override', 'PUT'] },
    { headers: [...request.headers, 'Content-Encoding', 'gzip'] },
    { target: '/api/purge;all=1?dry=0' },
    { target: 'https://south.shop.example/api/purge?dry=0' },
    { principal: { ...SUE, id: 'sam' } },
  ])
    assert.equal(refused(await ask({ ...request, ...change }).said).status, 403, JSON.stringify(change))
  assert.equal(await ask(request).said, ALLOW)
  assert.equal(refused(await ask(request).said).status, 403)
})

test('a body that cannot be read whole cannot be consented to', async t => {
  const { ask } = setting(t)
  const said = await ask({ method: 'POST', target: '/api/purge', principal: SUE, body: 'x'.repeat(2_000) })
    .said
  assert.equal(refused(said).status, 413)
})

test('a proof on a route is bound to the whole request, and used up', async t => {
  const { ask, stepUp } = setting(t)
  const request = { method: 'POST', target: '/api/confirm', principal: SUE, body: 'a=1' }
  assert.equal(refused(await ask(request).said).status, 401)
  const act = stepUp.demands.at(-1)?.act
  assert.ok(act)
  stepUp.confirm(act)
  assert.equal(refused(await ask({ ...request, body: 'a=2' }).said).status, 401)
  assert.equal(await ask(request).said, ALLOW)
  assert.equal(refused(await ask(request).said).status, 401)
})

test('x-postern in an OpenAPI document becomes route settings', t => {
  const { guard } = setting(t)
  const routes = openApiRoutes(
    {
      paths: {
        '/orders': { get: { responses: {} } },
        '/orders/{order-id}': {
          'x-postern': { require: { scope: 'orders' } },
          get: {},
          delete: { 'x-postern': { require: { role: 'support', stepUp: '10m' }, policy: 'order.delete' } },
        },
      },
    },
    { basePath: '/api/' },
  )
  assert.deepEqual(routes, {
    'GET /api/orders/:order_id': { require: { scope: 'orders' } },
    'DELETE /api/orders/:order_id': { require: { role: 'support', stepUp: '10m' }, policy: 'order.delete' },
  })
  for (const [pattern, settings] of Object.entries(routes)) guard.check(settings, pattern)
  assert.throws(
    () => openApiRoutes({ paths: { '/x': { get: { 'x-postern': { requires: {} } } } } }),
    ConfigError,
  )
  assert.throws(() => openApiRoutes({ paths: { '/x': { get: { 'x-postern': 'role' } } } }), ConfigError)
})

test('a mistake on a route is found when it is configured', t => {
  const { guard } = setting(t)
  assert.throws(() => guard.check({ policy: 'not an action' }, 'routes["/x"]'), /routes\["\/x"\]\.policy/)
  assert.throws(() => guard.check({ approve: { by: 'nobody' } }, 'routes["/x"]'), ConfigError)
})

test('a browser is sent to sign in, and gets the page of every refusal where it lacks something else', async t => {
  const { stepUp, ask } = setting(t)
  const headers = ['Sec-Fetch-Mode', 'navigate', 'Accept', 'text/html']
  const pageFor = async (request: RequestOptions): Promise<{ type: string | undefined; body: string }> => {
    const { said, exchange } = ask({ headers, ...request })
    const { headers: names, body } = refusalAnswer(refused(await said), exchange)
    return { type: names[names.indexOf('Content-Type') + 1], body }
  }
  stepUp.signInAt = '/sign-in?back=%2Fapi%2Freports'
  const stranger = await pageFor({ target: '/api/reports' })
  assert.match(stranger.body, /content="0;url=\/sign-in\?back=%2Fapi%2Freports"/)
  const wrong = await pageFor({ target: '/api/reports', principal: ANN })
  assert.equal(wrong.type, 'text/html; charset=utf-8')
  assert.match(wrong.body, /This needs the role support/)
  const waiting = await pageFor({ method: 'POST', target: '/api/purge', principal: SUE, body: 'all' })
  assert.match(waiting.body, /<nav class="ways"><a href="\/\.postern\/approvals\/[0-9a-f]{32}">Continue<\/a>/)
})

test('what the database refused asks for consent when it is sent again, unchanged, by the same actor', async t => {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock })
  const budgets = new RouteBudgets({ budgets: { 'orders.delete': { rows: 50, window: '1h' } }, clock })
  const guard = new AccessGuard(new Access({ approvals, clock }), budgets, clock)
  const routes = {
    'POST /purge': { budget: 'orders.delete', approve: { by: 'role:owner', when: 'over' as const } },
  }
  const ask = async (principal: Principal, body: string): Promise<{ said: Decision; exchange: Exchange }> => {
    const exchange = exchangeOf({ routes, principal, method: 'POST', target: '/purge', body })
    return { said: await guard.decide(exchange), exchange }
  }
  const first = await ask(SUE, 'status=old')
  assert.equal(first.said, ALLOW)
  const detail = { budget: 'orders.delete', scope: 'actor', over: 'approval' } as const
  const error = new RowBudgetExceeded({ ...detail, allowed: 50, asked: 400, retryAt: clock.now() + 1 })
  guard.actingIn(first.exchange).refused?.(error)
  assert.equal((await ask(SUE, 'status=new')).said, ALLOW)
  assert.equal((await ask(ANN, 'status=old')).said, ALLOW)
  const again = refused((await ask(SUE, 'status=old')).said)
  assert.equal(again.reasons[0].rule, 'access/approval-pending')
  const [waiting] = await approvals.list(OLGA)
  assert.match(String(waiting?.preview.summary), /counted 400 rows before it refused\. 50 were left/)
  clock.advance(600_000)
  assert.equal((await ask(ANN, 'status=old')).said, ALLOW)
})

test('whoever asked for consent too often is refused with 429, and no guard fails', async t => {
  const { ask, approvals } = setting(t)
  for (let n = 0; n < 20; n++) {
    const { said } = ask({ method: 'POST', target: `/api/purge?n=${n}`, principal: SUE })
    assert.equal(refused(await said).reasons[0].rule, 'access/approval-pending')
  }
  const { said } = ask({ method: 'POST', target: '/api/purge?n=20', principal: SUE })
  const over = refused(await said)
  assert.deepEqual([over.status, over.reasons[0].rule], [429, 'access/limit'])
  assert.match(over.reasons[0].message, /20 requests within an hour/)
  // What was asked for already is not in the way of itself.
  const open = refused(await ask({ method: 'POST', target: '/api/purge?n=3', principal: SUE }).said)
  assert.equal(open.reasons[0].rule, 'access/approval-pending')
  assert.equal((await approvals.list(OLGA)).length, 20)
})
