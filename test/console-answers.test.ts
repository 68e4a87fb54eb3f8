// Every operation of the console's API on a running gateway: what it answers is what its document says.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type Served, serve } from '@postern/server'
import { misfits } from '../packages/console/test/support/fits-schema.ts'
import { until } from './until.ts'

type Json = Readonly<Record<string, unknown>>
type Schema = Parameters<typeof misfits>[1]
interface Operation {
  readonly responses: {
    readonly 200: { readonly content: { readonly 'application/json': { schema: Schema } } }
  }
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
}
type Document = Readonly<Record<string, Readonly<Record<string, Operation>>>>

const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`

/** What needs a service, a passkey or rows of an application; each is validated where those are. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'POST /alerts/test',
  'GET /undo/{change}',
  'POST /undo/{change}',
  'POST /session/passkey/options',
  'POST /session/passkey',
  'POST /invitation/options',
  'POST /invitation',
])

/** Asks the API of a console, and compares each answer with its document. */
class CheckedApi {
  readonly checked = new Set<string>()
  #document: Document = {}
  readonly #base: string
  #headers: Readonly<Record<string, string>> = { 'Content-Type': 'application/json' }

  private constructor(base: string) {
    this.#base = base
  }

  static async signIn({ console: opened }: Served): Promise<CheckedApi> {
    const api = new CheckedApi(`${opened?.address ?? ''}api`)
    const link = /#link=(.*)$/.exec(opened?.link ?? '')?.[1]
    const response = await api.#fetch('POST', '/session', { link })
    const session = (await response.json()) as Json
    api.#headers = {
      ...api.#headers,
      Cookie: response.headers.get('set-cookie')?.split(';', 1)[0] ?? '',
      'Console-Token': String(session['token']),
    }
    const described = (await (await api.#fetch('GET', '/openapi.json')).json()) as Json
    api.#document = described['paths'] as Document
    api.#compare('POST', '/session', { link }, session)
    api.#compare('GET', '/openapi.json', undefined, described)
    return api
  }

  /** Every operation of the document. */
  get operations(): readonly string[] {
    return Object.entries(this.#document).flatMap(([path, byMethod]) =>
      Object.keys(byMethod).map(method => `${method.toUpperCase()} ${path}`),
    )
  }

  /** @param template path of the document, with the values of its variables and a query after it */
  async ask(
    method: string,
    template: string,
    more: { values?: readonly string[]; query?: string; body?: Json } = {},
  ): Promise<Json> {
    const values = [...(more.values ?? [])]
    const path = template.replaceAll(/\{\w+\}/g, () => encodeURIComponent(values.shift() ?? ''))
    const body = more.body ?? (method === 'GET' ? undefined : {})
    const response = await this.#fetch(method, `${path}${more.query ?? ''}`, body)
    const answer = (await response.json()) as Json
    assert.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(answer)}`)
    this.#compare(method, template, body, answer)
    return answer
  }

  #fetch(method: string, path: string, body?: Json): Promise<Response> {
    return fetch(`${this.#base}${path}`, {
      method,
      headers: this.#headers,
      signal: AbortSignal.timeout(20_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  #compare(method: string, template: string, body: Json | undefined, answer: Json): void {
    const operation = this.#document[template]?.[method.toLowerCase()]
    assert.ok(operation !== undefined, `${method} ${template} is in the document`)
    const asked = operation.requestBody?.content['application/json'].schema
    if (asked !== undefined) assert.deepEqual(misfits(body, asked, 'body'), [], `${method} ${template}`)
    const { schema } = operation.responses[200].content['application/json']
    assert.ok(schema.type !== undefined, `${method} ${template} has a schema`)
    assert.deepEqual(misfits(answer, schema), [], `${method} ${template}`)
    this.checked.add(`${method} ${template}`)
  }
}

async function startGateway(t: TestContext): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  const backend = createServer((request, response) => {
    request.resume()
    response.end('ok\n')
  }).listen(0, '127.0.0.1')
  t.after(() => void backend.close())
  await once(backend, 'listening')
  const { port } = backend.address() as AddressInfo
  const text = `upstream: http://127.0.0.1:${port}
listen: 127.0.0.1:0
admin: false
trustProxies: loopback
identity: { origin: 'http://127.0.0.1:8080' }
policies: ./policies.mjs
routes:
  /admin/**: { require: { role: admin } }
  DELETE /orders/:id: { approve: { by: 'role:lead' } }
console: { listen: '127.0.0.1:0', country: CF-IPCountry }
`
  writeFileSync(join(folder, 'policies.mjs'), POLICIES)
  writeFileSync(join(folder, 'postern.config.yaml'), text)
  const loaded = await loadConfig({ folder, environment: process.env })
  const served = await serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
  t.after(async () => {
    await served.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return served
}

/** From a folder that has nothing installed. */
const POLICIES = `import { allow, definePolicies, hasRole, resourceType } from '${import.meta.resolve('@postern/access')}'
const order = resourceType('order', { table: 'orders', fields: { id: 'integer' } })
export const policies = definePolicies([
  allow('clerks work on orders', { action: 'order.*', on: order, when: hasRole('clerk') }),
])
`

const first = (answer: Json, list: string): Json => (answer[list] as readonly Json[])[0] ?? {}

test('every answer of the API of a running gateway is what its document says', async t => {
  const served = await startGateway(t)
  const send = (path: string): Promise<Response> =>
    fetch(`${served.url}${path}`, { headers: { 'X-Forwarded-For': '198.51.100.7', 'CF-IPCountry': 'BR' } })
  assert.equal((await send('/items/7?page=2')).status, 200)
  const refused = await send(ATTACK)
  const request = refused.headers.get('x-request-id') ?? ''
  const api = await CheckedApi.signIn(served)
  await api.ask('POST', '/attacks/{name}', { values: ['path-traversal'] })

  for (const path of [
    ...['/session', '/health', '/system', '/instances', '/system/doctor', '/overview', '/events', '/map'],
    ...[
      '/map/openapi.json',
      '/undo',
      '/false-positives',
      '/activity',
      '/policies',
      '/policies/diff',
      '/vault',
    ],
    ...['/vault/openings', '/sessions', '/settings/preview'],
  ])
    await api.ask('GET', path)
  await api.ask('GET', '/actor', { query: '?kind=address&value=198.51.100.7' })

  await api.ask('GET', '/requests/{id}', { values: [request] })
  await api.ask('GET', '/requests/{id}/exception', { values: [request] })
  await api.ask('POST', '/requests/{id}/false-positive', { values: [request], body: { note: 'a test' } })
  await api.ask('GET', '/requests/{id}', { values: [request] })
  await api.ask('GET', '/false-positives')
  await api.ask('DELETE', '/requests/{id}/false-positive', { values: [request] })

  const ban = await api.ask('POST', '/bans', { body: { actor: '192.0.2.9', for: '1h', reason: 'a test' } })
  await api.ask('GET', '/bans')
  await api.ask('DELETE', '/bans/{id}', { values: [String(ban['id'])] })

  const { approvals } = served.runtime.resources.access
  for (const verb of ['approve', 'deny']) {
    const asked = await approvals?.request({
      act: {
        actor: 'user:alice',
        action: 'orders.delete',
        resource: `orders/${verb}`,
        arguments: { all: true },
      },
      principal: { kind: 'user', id: 'alice' },
      by: 'role:lead',
      rows: 12,
      preview: { summary: 'Deletes 12 orders', rows: { orders: 12 } },
    })
    await api.ask('GET', '/approvals')
    await api.ask('POST', `/approvals/{id}/${verb}`, { values: [asked?.id ?? ''], body: { note: 'seen' } })
  }
  await api.ask('GET', '/approvals', { query: '?state=approved' })

  const before = String((await api.ask('GET', '/settings'))['text'])
  const changed = `${before}block: [192.0.2.77]\n`
  await api.ask('POST', '/settings/preview', { body: { text: changed, hours: 1 } })
  await until(async () => (await api.ask('GET', '/settings/preview'))['state'] !== 'running')
  assert.equal((await api.ask('GET', '/settings/preview'))['state'], 'done')
  await api.ask('POST', '/settings', { body: { before, text: changed } })
  await api.ask('POST', '/requests/{id}/exception', { values: [request] })
  const history = await api.ask('GET', '/settings')
  await api.ask('GET', '/settings/history/{id}', { values: [String(first(history, 'history')['id'])] })
  await api.ask('POST', '/settings/preview', { body: { text: before } })
  await api.ask('DELETE', '/settings/preview')

  const key = await api.ask('POST', '/keys', { body: { service: 'reports', name: 'nightly' } })
  const id = String((key['key'] as Json | undefined)?.['id'] ?? key['id'] ?? '')
  const keys = await api.ask('GET', '/keys')
  await api.ask('DELETE', '/keys/{key}', { values: [id === '' ? String(first(keys, 'keys')['id']) : id] })

  await served.runtime.resources.identity?.importAccounts(
    'email,name,email_verified\nann@shop.example,Ann,true\n',
  )
  const user = String(first(await api.ask('GET', '/users'), 'users')['id'])
  await served.runtime.resources.identity?.sessions.begin({
    accountId: user,
    amr: ['pwd'],
    address: '203.0.113.9',
    agent: 'Firefox',
  })
  await api.ask('GET', '/users/{user}', { values: [user] })
  await api.ask('GET', '/sessions')
  await api.ask('POST', '/users/{user}/roles', { values: [user], body: { roles: ['admin'] } })
  await api.ask('POST', '/users/{user}/sessions/end', { values: [user] })
  await api.ask('POST', '/users/{user}/disable', { values: [user], body: { reason: 'a test' } })
  await api.ask('POST', '/users/{user}/enable', { values: [user] })
  await api.ask('POST', '/principals/end', { body: { principal: 'alice' } })

  await api.ask('POST', '/operators', { body: { name: 'vera@shop.example', roles: ['viewer'] } })
  const operator = String(first(await api.ask('GET', '/operators'), 'operators')['id'])
  await api.ask('POST', '/operators/{operator}/roles', { values: [operator], body: { roles: ['operator'] } })
  await api.ask('DELETE', '/operators/{operator}', { values: [operator] })

  await until(async () => ((await api.ask('GET', '/audit'))['entries'] as readonly Json[]).length > 0)
  const index = String(first(await api.ask('GET', '/audit'), 'entries')['index'])
  await api.ask('GET', '/audit/checkpoint')
  await api.ask('GET', '/audit/{index}/proof', { values: [index] })
  await api.ask('GET', '/audit/consistency', { query: '?from=1&to=2' })
  await api.ask('GET', '/graph')
  await api.ask('DELETE', '/session')

  const left = api.operations.filter(operation => !api.checked.has(operation))
  assert.deepEqual(left.toSorted(), [...ELSEWHERE].toSorted())
})
