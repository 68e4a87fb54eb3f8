import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type CliResult, cli } from '../../cli/test/cli.ts'
import { type Config, type Exchange, type Principal, postern } from '../src/index.ts'

interface Refused {
  readonly status: number
  readonly rule: string
  readonly config?: Config
  readonly target?: string
  readonly init?: RequestInit
  /** How often the request is sent; the last one is refused. Default: once. */
  readonly times?: number
}

const USER = { authorization: 'ann' }
const LOGIN: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"email":"ann@shop.example","password":"wrong"}',
}

/** Refusals of guards that write a problem document themselves, and of guards that leave it to the engine. */
const REFUSALS: Readonly<Record<string, Refused>> = {
  'what looks like an attack': {
    status: 403,
    rule: 'xss/',
    target: '/?q=%3Cscript%3Ealert(1)%3C/script%3E',
  },
  'a client that is barred': {
    status: 403,
    rule: 'clients/block',
    config: { block: [{ userAgent: 'curl' }] },
  },
  'a limit': { status: 429, rule: 'limit/address', config: { limits: { address: '1/1h' } }, times: 2 },
  'nobody signed in': { status: 401, rule: 'access/sign-in', config: { routes: { '/**': { require: {} } } } },
  'a scope is missing': {
    status: 403,
    rule: 'access/scope',
    config: { routes: { '/**': { require: { scope: 'orders' } } } },
    init: { headers: USER },
  },
  'a role is missing': {
    status: 403,
    rule: 'access/role',
    config: { routes: { '/**': { require: { role: 'owner' } } } },
    init: { headers: USER },
  },
  'another kind of caller': {
    status: 403,
    rule: 'access/kind',
    config: { routes: { '/**': { require: { kind: 'service' } } } },
    init: { headers: USER },
  },
  'a sign-in that is too old': {
    status: 401,
    rule: 'access/step-up',
    config: { routes: { '/**': { require: { stepUp: '10m' } } } },
    init: { headers: USER },
  },
  'a second person is asked': {
    status: 403,
    rule: 'access/approval-pending',
    config: { routes: { '/**': { approve: { by: 'role:owner' } } } },
    init: { method: 'POST', headers: USER },
  },
  'a budget is used up': {
    status: 429,
    rule: 'access/budget',
    config: {
      budgets: { 'orders.delete': { rows: 2, window: '1h' } },
      routes: { 'POST /purge': { budget: 'orders.delete' } },
    },
    target: '/purge',
    init: {
      method: 'POST',
      headers: { ...USER, 'content-type': 'application/json' },
      body: '{"ids":[1,2,3]}',
    },
  },
  'tries to sign in are used up': {
    status: 429,
    rule: 'login/',
    target: '/login',
    init: LOGIN,
    times: 12,
  },
}

function identify(exchange: Exchange): Principal | undefined {
  const id = exchange.header('authorization')
  return id === undefined ? undefined : { kind: 'user', id }
}

async function refuse(folder: string, given: Refused): Promise<Response> {
  const { config = {}, target = '/', init = {}, times = 1 } = given
  const layer = await postern({ folder, config, identify, log: 'none' })
  try {
    const app = async (request: Request): Promise<Response> =>
      new Response('', { status: request.url.endsWith('/login') ? 401 : 200 })
    const handle = layer.fetch(app, { peer: () => '203.0.113.9' })
    const headers = new Headers(init.headers)
    headers.set('user-agent', 'curl/8')
    if (typeof init.body === 'string') headers.set('content-length', String(init.body.length))
    const send = async (): Promise<Response> =>
      handle(new Request(`http://shop.example${target}`, { ...init, headers }))
    for (let sent = 1; sent < times; sent++) await (await send()).text()
    const last = await send()
    return new Response(await last.text(), last)
  } finally {
    await layer.close()
  }
}

describe('every refusal names its request in the body, and explain finds it', { timeout: 300_000 }, () => {
  for (const [name, given] of Object.entries(REFUSALS))
    test(name, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'postern-refused-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const refused = await refuse(folder, given)
      const text = await refused.text()
      assert.equal(refused.status, given.status, text)
      assert.equal(refused.headers.get('content-type'), 'application/problem+json')
      const { instance, status, detail } = JSON.parse(text) as Readonly<Record<string, unknown>>
      assert.equal(instance, `urn:postern:request:${refused.headers.get('x-request-id')}`, text)
      assert.equal(status, given.status)
      assert.equal(typeof detail, 'string')
      const shown: CliResult = await cli(['explain', String(instance)], folder)
      assert.equal(shown.code, 0, shown.stderr)
      assert.ok(shown.stdout.includes(given.rule), shown.stdout)
    })
})
