import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Approval, ApprovalRefused, Approvals } from '@postern/access'
import { VirtualClock } from '@postern/core'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import { type ConsoleServer, startConsole } from '../src/serve/console-server.ts'
import { type Answer, ask, type SignedIn, signIn } from './support/ask.ts'
import { type TestParts, testParts } from './support/console-parts.ts'

interface Operation {
  readonly path: string
  readonly method: string
  readonly role: string
  /** Parameters of the query. */
  readonly query: readonly string[]
  /** Whether it needs no session. */
  readonly isOpen: boolean
}

/** What names and texts may break a lookup, a pattern or a file. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%ff',
  '%E0%A4%A',
  "'%20OR%201=1--",
  '%3Cscript%3Ealert(1)%3C%2Fscript%3E',
  '%E2%80%AE',
  'a'.repeat(5_000),
]

describe('attacks on every operation of the console', () => {
  const clock = new VirtualClock(1_800_000_000_000)
  let given: TestParts
  let server: ConsoleServer
  let database: SqliteDatabase
  let approvals: Approvals
  let operations: readonly Operation[] = []
  let opal: SignedIn
  let viewer: SignedIn

  before(async () => {
    database = openSqlite({ path: ':memory:' })
    approvals = new Approvals({ database, clock })
    given = await testParts({ approvals, clock })
    server = await startConsole({
      parts: given.parts,
      listen: { host: '127.0.0.1', port: 0 },
      path: '/',
      origins: [],
    })
    opal = await signIn(server, 'opal')
    viewer = await signIn(server, 'vic', ['viewer'])
    operations = await documented()
  })
  after(async () => {
    await server.close()
    await given.close()
    database.close()
  })

  const call = (method: string, path: string, headers: object, body?: string): Promise<Answer> =>
    ask(`${server.address}api${path}`, {
      method,
      headers: { ...headers },
      ...(body !== undefined && { body }),
    })

  async function documented(): Promise<readonly Operation[]> {
    const { json } = await ask(`${server.address}api/openapi.json`, { headers: opal })
    const paths = json['paths'] as Readonly<Record<string, Readonly<Record<string, Documented>>>>
    return Object.entries(paths).flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, { parameters = [], security, 'x-role': role }]) => ({
        path,
        method: method.toUpperCase(),
        role,
        query: parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name),
        isOpen: security !== undefined,
      })),
    )
  }
  const filled = (path: string, value: string): string => path.replaceAll(/\{\w+\}/g, value)

  test('a viewer reaches no act by any method, path, or header that names another', async () => {
    const acts = given.acts.length
    let checked = 0
    for (const { path, method, role, isOpen } of operations) {
      if (isOpen || role === 'viewer') continue
      const target = filled(path, 'a'.repeat(32))
      for (const sent of ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS']) {
        const isAsk = operations.some(
          other => other.method === sent && other.role === 'viewer' && other.path === path,
        )
        if (isAsk) continue
        for (const more of [
          {},
          { 'X-HTTP-Method-Override': method, 'X-Method-Override': method },
          { 'X-Original-URL': `/api${target}`, 'X-Rewrite-URL': `/api${target}` },
        ]) {
          const { status } = await call(sent, `${target}?_method=${method}`, { ...viewer, ...more }, '{}')
          assert.ok(status === 403 || status === 404, `${sent} ${target}: ${status}`)
          checked++
        }
      }
    }
    assert.ok(checked > 300, String(checked))
    assert.equal(given.acts.length, acts, 'nothing was done')
  })

  test('without a session no operation answers, whatever it is asked with', async () => {
    const json = { 'Content-Type': 'application/json' }
    for (const { path, method, isOpen } of operations) {
      if (isOpen) continue
      for (const headers of [json, { ...json, Cookie: 'postern-console=x', 'Console-Token': 'x' }]) {
        const { status } = await call(method, filled(path, 'a'), headers, method === 'GET' ? undefined : '{}')
        assert.equal(status, 401, `${method} ${path}`)
      }
    }
  })

  test('no name in a path breaks an operation, or reaches what every object has', async () => {
    const named = operations.filter(({ path }) => path.includes('{'))
    for (const { path, method } of named.filter(operation => operation.method === 'GET')) {
      for (const name of NAMES) {
        const { status, headers } = await call(method, filled(path, name), opal)
        assert.ok(status >= 200 && status < 500, `${path} with ${name.slice(0, 40)}: ${status}`)
        assert.equal(headers['content-type'], 'application/json')
      }
    }
    const acts = given.acts.length
    for (const { path, method } of named.filter(operation => operation.method !== 'GET')) {
      for (const name of NAMES) {
        const { status } = await call(method, filled(path, name), opal, '{}')
        assert.notEqual(status, 500, `${method} ${path} with ${name.slice(0, 40)}`)
      }
    }
    for (const { data } of given.acts.slice(acts))
      for (const value of Object.values(data ?? {}))
        assert.ok(JSON.stringify(value).length <= 2_100, 'what the log takes is bounded')
  })

  test('a parameter of 2,000 characters, ten thousand parameters and numbers out of range are refused or bounded', async () => {
    let checked = 0
    for (const { path, method, query } of operations) {
      if (method !== 'GET') continue
      for (const name of query) {
        const long = await call('GET', `${filled(path, 'a')}?${name}=${'9'.repeat(2_000)}`, opal)
        assert.ok(long.status === 400 || long.status === 404, `${path}?${name}: ${long.status}`)
        checked++
      }
      for (const name of query.filter(each => ['limit', 'days', 'hours', 'minutes', 'from'].includes(each)))
        for (const value of ['1e9', '-1', 'NaN', '0x10', '1.5', ' 1', 'Infinity', '9007199254740993']) {
          const { status } = await call(
            'GET',
            `${filled(path, 'a')}?${name}=${encodeURIComponent(value)}`,
            opal,
          )
          assert.ok(status < 500, `${path}?${name}=${value}: ${status}`)
        }
    }
    assert.ok(checked >= 20, String(checked))
    const many = Array.from({ length: 1_500 }, (_, i) => `rule=${i}`).join('&')
    assert.equal((await call('GET', `/events?${many}`, opal)).status, 200, 'the first one counts')
    const head = await call('GET', `/events?rule=${'x'.repeat(20_000)}`, opal)
    assert.equal(head.status, 431, 'a head of more than 16 KiB')
  })

  test('a body of more than 256 KiB, of another form, or with names of every object changes nothing else', async () => {
    for (const { path, method, isOpen } of operations) {
      if (method !== 'POST' || isOpen) continue
      const target = filled(path, 'a'.repeat(32))
      for (const body of [
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"text":"x: 1"}',
        '{"roles":{"__proto__":["operator"]},"name":{"toString":1},"actor":{"length":1e9}}',
        '[{"polluted":1}]',
        'null',
        '{"a":'.repeat(5_000),
        '\ufeff{}',
      ]) {
        const { status } = await call('POST', target, opal, body)
        assert.notEqual(status, 500, `${path} with ${body.slice(0, 40)}`)
      }
    }
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    assert.equal(({} as Readonly<Record<string, unknown>>)['polluted'], undefined)
    const large = await call('POST', '/bans', opal, JSON.stringify({ actor: 'x'.repeat(300_000) }))
    assert.equal(large.status, 400)
    assert.equal((await call('GET', '/session', viewer)).json['name'], 'vic', 'nobody has other roles')
    assert.equal((await call('POST', '/bans', viewer, '{"actor":"192.0.2.1"}')).status, 403)
  })

  test('a decision about an approval is taken once, by an approver, and never about a request of one’s own', async () => {
    const asked = (id: string): Promise<Approval> =>
      approvals.request({
        act: { actor: `user:${id}`, action: 'orders.purge', resource: 'orders', arguments: {} },
        principal: { kind: 'user', id },
        by: 'role:lead',
      })
    const { id } = await asked('alice')
    const operator = await signIn(server, 'ope', ['viewer', 'operator'])
    assert.equal((await call('POST', `/approvals/${id}/approve`, operator, '{}')).status, 403)
    const both = await Promise.all(
      ['approve', 'approve', 'approve'].map(verb => call('POST', `/approvals/${id}/${verb}`, opal, '{}')),
    )
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409, 409], 'at once')
    // A consent that is not used yet is taken back; a denial is final.
    for (const [verb, status] of [
      ['approve', 409],
      ['deny', 200],
      ['approve', 409],
      ['deny', 409],
    ] as const)
      assert.equal((await call('POST', `/approvals/${id}/${verb}`, opal, '{}')).status, status, verb)
    const own = await asked('opal')
    assert.equal((await call('POST', `/approvals/${own.id}/approve`, opal, '{}')).status, 409)
    const late = await asked('bob')
    clock.advance(366 * 86_400_000)
    const after = await signIn(server, 'late')
    assert.equal((await call('POST', `/approvals/${late.id}/approve`, after, '{}')).status, 409)
    await assert.rejects(approvals.decideAsOperator(late.id, 'late', 'approve', ''), ApprovalRefused)
  })

  test('only an own page that sends JSON is heard: no form, no other origin, no site of another name', async () => {
    const fresh = await signIn(server, 'page')
    const own = new URL(server.address).origin
    const acts = given.acts.length
    for (const [what, headers] of Object.entries({
      'a form': { 'Content-Type': 'application/x-www-form-urlencoded' },
      'text that is JSON': { 'Content-Type': 'text/plain' },
      'a type that begins like JSON elsewhere': { 'Content-Type': 'text/plain; application/json' },
      'a sandboxed page': { Origin: 'null' },
      'another port': { Origin: `${own}1` },
      'the same name without its port': { Origin: 'http://127.0.0.1' },
      'a suffix': { Origin: `${own}.evil.example` },
      'another site, as the browser says': { 'Sec-Fetch-Site': 'cross-site' },
      'another port of this site, as the browser says': { 'Sec-Fetch-Site': 'same-site' },
    })) {
      const { status } = await call('POST', '/bans', { ...fresh, ...headers }, '{"actor":"192.0.2.1"}')
      assert.equal(status, 403, what)
    }
    assert.equal(given.acts.length, acts)
    const done = await call('POST', '/bans', { ...fresh, Origin: own }, '{"actor":"192.0.2.1","for":"1h"}')
    assert.equal(done.status, 200, JSON.stringify(done.json))
  })

  test('no name but its own reaches the console, in any writing of it', async () => {
    const { port } = new URL(server.address)
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `localhost:${port}.evil.example`,
      `localhost:${port}@evil.example`,
      `evil.example#localhost:${port}`,
      `[::ffff:127.0.0.1].evil.example:${port}`,
      `0x7f.1:${port}`,
      `127.0.0.1:${Number(port) + 1}`,
      `xn--localhost-:${port}`,
    ]) {
      const { status } = await call('GET', '/session', { ...opal, Host: host })
      assert.ok(status === 403 || status === 400, `"${host}": ${status}`)
    }
    const again = await signIn(server, 'again')
    assert.equal((await call('GET', '/session', again)).status, 200)
  })
})

interface Documented {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly security?: unknown
  readonly 'x-role': string
}
