import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Access, AccessGuard, ApprovalEndpoints, Approvals } from '@postern/access'
import { ALLOW, type Decision, type Principal, type RouteSettings, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { exchangeOf, type RequestOptions } from '../support/exchange.ts'

const SUE: Principal = { kind: 'user', id: 'sue' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'] }
const ROUTES: Readonly<Record<string, RouteSettings>> = { '/api/**': { approve: { by: 'role:owner' } } }
const BROWSER = ['Sec-Fetch-Mode', 'navigate', 'Accept', 'text/html']

function setting(t: TestContext) {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const clock = new VirtualClock()
  const approvals = new Approvals({ database, clock, maxPending: 1_000 })
  const access = new Access({ approvals, clock })
  const guard = new AccessGuard(access)
  const endpoints = new ApprovalEndpoints({ approvals, access })
  const ask = async (request: RequestOptions): Promise<Decision> =>
    guard.decide(exchangeOf({ routes: ROUTES, principal: SUE, bodyLimit: 100_000, ...request }))
  /** Asks, and returns the id of the request for consent. */
  const asked = async (request: RequestOptions): Promise<string> => {
    const said = await ask(request)
    assert.ok(said.effect === 'deny' && said.content !== undefined)
    return (JSON.parse(said.content.text) as { approval: { id: string } }).approval.id
  }
  const page = async (id: string): Promise<string> => {
    const target = `/.postern/approvals/${id}`
    const said = await endpoints.decide(exchangeOf({ principal: OLGA, target, headers: BROWSER }))
    assert.ok(said.effect === 'allow' && said.answer !== undefined)
    return String(said.answer.body)
      .replaceAll(id, '')
      .replaceAll(/ data-[\w-]+="[^"]*"/g, '')
  }
  return { approvals, ask, asked, page }
}

const MEANING: readonly (readonly [name: string, approved: string, used: string])[] = [
  ['Destination', '/api/trash/1', '/public/1'],
  ['Overwrite', 'F', 'T'],
  ['Depth', '0', 'infinity'],
  ['If', '(<urn:uuid:1>)', '(Not <DAV:no-lock>)'],
  ['If-Match', '"1"', '*'],
  ['Range', 'bytes=0-9', 'bytes=0-'],
  ['Content-Range', 'bytes 0-9/10', 'bytes 0-9/*'],
  ['X-Update-Range', 'append', 'bytes=0-'],
  ['Content-Disposition', 'attachment; filename=a.txt', 'attachment; filename=a.php'],
  ['Slug', 'a', 'b'],
  ['Prefer', 'handling=strict', 'handling=lenient'],
  ['X-Forwarded-Host', 'north.example', 'south.example'],
  ['Forwarded', 'for=192.0.2.1;host=north.example', 'for=192.0.2.1;host="south.example"'],
  ['Accept-Profile', 'north', 'south'],
  ['Content-Profile', 'north', 'south'],
  ['X_Tenant_Id', 'north', 'south'],
  ['X-Amz-Target', 'Table.Get', 'Table.Delete'],
  ['X-Original-URL', '/api/one', '/api/all'],
  ['X-Rewrite-URL', '/api/one', '/api/all'],
  ['X-Tenant-Id', 'north', 'south'],
  ['X-Organization', 'north', 'south'],
  ['Tenant', 'north', 'south'],
  ['X-Account-ID', '1', '2'],
  ['X-Workspace', '1', '2'],
  ['X-Project_Id', '1', '2'],
  ['X-Act-As', 'ann', 'bob'],
  ['Impersonate-User', 'ann', 'bob'],
  ['X-Dry-Run', '1', '0'],
  ['X-Force', '0', '1'],
  ['X-Amz-Copy-Source', '/a/1', '/b/2'],
  ['X-Recursive', 'no', 'yes'],
  ['Upgrade', 'websocket', 'h2c'],
  ['Sec-WebSocket-Protocol', 'read', 'admin'],
  ['If-None-Match', '*', '"a"'],
  ['Content_Encoding', 'identity', 'gzip'],
  ['X-Recipient', 'ann', 'eve'],
  ['X-Owner-Id', '1', '2'],
  ['X-Recipient-Address', '0x1', '0x2'],
  ['X-Account-Address', '0x1', '0x2'],
  ['X_Target_IP', '192.0.2.1', '192.0.2.2'],
  ['X-Destination-Port', '1', '2'],
  ['X-Site', '1', '2'],
  ['X-Client-Id', '1', '2'],
  ['X-Api-Version', '1', '2'],
  ['X-Max-Count', '1', '1000'],
  ['X-Bucket', 'a', 'b'],
]
for (const [name, approved, used] of MEANING)
  test(`attack: a consent is used with another ${name} than it was given for`, async t => {
    const { ask, asked, approvals } = setting(t)
    const request = { method: 'POST', target: '/api/files/1', headers: [name, approved] }
    await approvals.decide(await asked(request), OLGA, 'approve')
    for (const headers of [[name, used], [], [name, approved, name.toLowerCase(), used]])
      assert.notEqual((await ask({ ...request, headers })).effect, 'allow', JSON.stringify(headers))
    assert.equal(await ask(request), ALLOW)
  })

const CHOOSING: readonly (readonly [approved: string, used: string])[] = [
  ['tenant=north', 'tenant=south'],
  ['a=1; active_org=1', 'a=1; active_org=2'],
  ['currentWorkspace=1', 'currentWorkspace=2'],
  ['__Host-account.id=1', '__Host-account.id=2'],
  ['impersonate=ann', 'impersonate=bob'],
  ['x%2Dtenant=north', 'x%2Dtenant=south'],
  ['a=1, tenant=north', 'a=1, tenant=south'],
  ['tenant=north,east', 'tenant=north,west'],
]
for (const [approved, used] of CHOOSING)
  test(`attack: a consent is used with the cookie ${used} where it was given for ${approved}`, async t => {
    const { ask, asked, approvals } = setting(t)
    const request = { method: 'POST', target: '/api/files/1', headers: ['Cookie', approved] }
    await approvals.decide(await asked(request), OLGA, 'approve')
    for (const headers of [['Cookie', used], [], ['Cookie', `${approved}; ${used}`]])
      assert.notEqual((await ask({ ...request, headers })).effect, 'allow', JSON.stringify(headers))
    const fresh = `${approved}; session=2; tenant_session=3; accountToken=4; theme=dark`
    assert.equal(await ask({ ...request, headers: ['Cookie', fresh] }), ALLOW)
  })

test('a consent is good whatever else differs between two tries of the same client', async t => {
  const { ask, asked, approvals } = setting(t)
  const request = { method: 'DELETE', target: '/api/files/1', headers: ['X-Tenant', 'north'] }
  await approvals.decide(await asked(request), OLGA, 'approve')
  const incidental = Object.entries({
    'User-Agent': 'curl/8',
    'X-User-Agent': 'app/2',
    'X-Request-Id': '1',
    'X-Operation-Id': '1',
    'X-Envoy-Attempt-Count': '2',
    'X-User-IP': '192.0.2.1',
    'X-Source-Address': '192.0.2.1',
    'X-Cluster-Client-IP': '192.0.2.1',
    'X-Forwarded-Port': '4711',
    'Idempotency-Key': '1',
    'If-None-Match': '"a"',
    Traceparent: '00-1',
    Baggage: 'a=1',
    Cookie: 'session=2',
    Authorization: 'Bearer fresh',
    Referer: 'https://shop.example/.postern/approvals',
    'Sec-Fetch-Site': 'same-origin',
    'Sec-Fetch-Mode': 'cors',
    'X-Forwarded-For': '192.0.2.9',
    Forwarded: 'for="192.0.2.9:4711";proto=https',
    'X-Csrf-Token': 'a',
    'Postern-Approval': 'ask',
    'Accept-Language': 'de',
  }).flat()
  assert.equal(await ask({ ...request, headers: [...request.headers, ...incidental] }), ALLOW)
})

const LIKE = { method: 'POST', target: '/api/purge', headers: ['Content-Type', 'application/json'] }
const PAIRS: readonly (readonly [string, RequestOptions, RequestOptions])[] = [
  ['query', { ...LIKE, target: '/api/purge?id=7' }, { ...LIKE, target: '/api/purge?id=*' }],
  ['path as sent', { ...LIKE, target: '/api/purge;a=1' }, { ...LIKE, target: '/api/purge;a=2' }],
  [
    'method asked for',
    { ...LIKE, headers: ['X-HTTP-Method-Override', 'PUT'] },
    { ...LIKE, headers: ['X-HTTP-Method-Override', 'DELETE'] },
  ],
  ['header', { ...LIKE, headers: ['X-Tenant', 'a'] }, { ...LIKE, headers: ['X-Tenant', 'b'] }],
  ['cookie', { ...LIKE, headers: ['Cookie', 'tenant=a'] }, { ...LIKE, headers: ['Cookie', 'tenant=b'] }],
  ['JSON body', { ...LIKE, body: '{"amount":1}' }, { ...LIKE, body: '{"amount":1000000}' }],
  ['name twice in JSON', { ...LIKE, body: '{"a":1,"a":2}' }, { ...LIKE, body: '{"a":9,"a":2}' }],
  ['text body', { ...LIKE, headers: [], body: 'one' }, { ...LIKE, headers: [], body: 'all' }],
]
for (const [name, one, other] of PAIRS)
  test(`attack: who decides is shown the same page for two requests of another ${name}`, async t => {
    const { asked, page } = setting(t)
    const hash = /[\w-]{43}/g
    const [first, second] = [await page(await asked(one)), await page(await asked(other))]
    // A hash differs too, but tells nobody what is asked.
    assert.notEqual(first.replaceAll(hash, ''), second.replaceAll(hash, ''))
  })

test('a long body is shown in part, and says so; bytes that are not text are counted', async t => {
  const { asked, page } = setting(t)
  const long = await page(
    await asked({ ...LIKE, body: JSON.stringify({ a: 'x'.repeat(9_000), last: 'end' }) }),
  )
  assert.match(long, /4,096 of 9,\d\d\d/)
  const bytes = await page(await asked({ ...LIKE, body: 'a\0b\0c' }))
  assert.match(bytes, /5 bytes/)
})

test('secrets in a body are not shown to whoever decides', async t => {
  const { asked, page } = setting(t)
  const text = await page(
    await asked({ ...LIKE, body: '{"email":"a@b.example","password":"hunter \\" two"}' }),
  )
  assert.ok(text.includes('a@b.example'))
  assert.ok(!text.includes('hunter') && !text.includes('two'))
  const form = await page(
    await asked({
      ...LIKE,
      headers: ['Content-Type', 'application/x-www-form-urlencoded'],
      body: 'new_password=hunter&role=admin',
    }),
  )
  assert.ok(form.includes('role=admin') && !form.includes('hunter'))
})

for (const sign of ['\u202e', '\u2066', '\u200b', '\u2028', '\u00ad', '\ufeff'])
  test(`attack: what is asked for is made to look like something else by U+${sign.charCodeAt(0).toString(16)}`, async t => {
    const { asked, page } = setting(t)
    const target = `/api/files/${encodeURIComponent(`gpj${sign}exe`)}?a=1`
    assert.ok(!(await page(await asked({ ...LIKE, target, body: `{"to":"a${sign}b"}` }))).includes(sign))
  })
