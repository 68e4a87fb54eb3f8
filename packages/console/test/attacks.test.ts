import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { until } from '../../../test/until.ts'
import { type ConsoleServer, startConsole } from '../src/serve/console-server.ts'
import type { StoredEvent } from '../src/traffic/traffic-event.ts'
import { ask, type SignedIn, signIn } from './support/ask.ts'
import { NO_TRAFFIC, type TestParts, testParts } from './support/console-parts.ts'
import { watch } from './support/watch.ts'

/** What a client may put into any field: markup, formulas of spreadsheets, events of a stream, log lines. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "javascript:alert('x')",
  '=HYPERLINK("https://evil.example","x")',
  '+1+cmd|calc!A0',
  '@SUM(1)',
  'x\r\nevent: rows\r\ndata: []\r\n\r\n',
  '\u2028\u2029\u0000\ud800',
  '</script><!--',
  '${7*7}{{7*7}}',
].join('')

const hostile: Event = {
  type: 'http',
  time: 1_799_999_999_000,
  actor: { address: HOSTILE, principal: HOSTILE, tenant: HOSTILE, device: HOSTILE, agent: HOSTILE },
  request: {
    id: 'h0000000000000000000',
    method: HOSTILE,
    host: HOSTILE,
    path: `/${HOSTILE}`,
    query: HOSTILE,
    route: HOSTILE,
  },
  action: HOSTILE,
  resource: { type: HOSTILE, id: HOSTILE },
  decision: 'deny',
  guard: HOSTILE,
  reasons: [{ rule: HOSTILE, message: HOSTILE, evidence: { location: HOSTILE, span: HOSTILE } }],
  outcome: { status: 403, duration: 1, bytes: 1, aborted: false },
}
const stored: StoredEvent = { id: 1, event: hostile, weight: 1, guardTimes: undefined, erased: false }

describe('attacks on the console', () => {
  let given: TestParts
  let server: ConsoleServer
  let below: ConsoleServer
  let opal: SignedIn
  let viewer: SignedIn

  before(async () => {
    given = await testParts({
      traffic: {
        ...NO_TRAFFIC,
        find: async () => [stored],
        ofRequest: async () => [stored],
        refusedActors: async () => [{ requests: 1, last: stored }],
        counts: async () => [
          {
            minute: 30_000_000,
            verdict: 'deny',
            route: HOSTILE,
            rule: HOSTILE,
            requests: 1,
            layer: 1,
            total: 1,
          },
        ],
        marks: async () => [{ request: 'h', rule: HOSTILE, time: 1, operator: HOSTILE, note: HOSTILE }],
      },
    })
    const listen = { host: '127.0.0.1', port: 0 }
    const { parts } = given
    server = await startConsole({ parts, listen, path: '/', origins: [] })
    below = await startConsole({ parts, listen, path: '/console/', origins: [] })
    opal = await signIn(server, 'opal')
    viewer = await signIn(server, 'vic', ['viewer'])
  })
  after(async () => {
    await server.close()
    await below.close()
    await given.close()
  })
  const api = (path: string): string => `${server.address}api${path}`

  test('what clients sent is data in every answer: never a page, never a script, whatever field it is in', async () => {
    for (const path of [
      '/events',
      '/requests/h0000000000000000000',
      '/overview',
      '/map',
      '/map/openapi.json',
      '/false-positives',
      `/actor?kind=address&value=${encodeURIComponent('<script>alert(1)</script>')}`,
      '/activity',
    ]) {
      const { status, headers, json } = await ask(api(path), { headers: opal })
      assert.equal(status, 200, path)
      assert.equal(headers['content-type'], 'application/json', path)
      assert.equal(headers['x-content-type-options'], 'nosniff', path)
      assert.match(String(headers['content-security-policy']), /default-src 'none'/, path)
      assert.equal(headers['cache-control'], 'no-store', path)
      assert.equal(typeof json, 'object')
    }
    const { json } = await ask(api('/events'), { headers: opal })
    const [row] = json['events'] as readonly Readonly<Record<string, unknown>>[]
    // A lone surrogate is written as its escape, so the text comes back as it was.
    assert.deepEqual([row?.['agent'], row?.['rule']], [HOSTILE, HOSTILE])
  })

  test('what clients sent cannot become an event of the live stream', async () => {
    const { response, text } = await watch(server, opal)
    await until(() => text().includes(': connected'))
    given.parts.live.take({ event: hostile, weight: 1, guardTimes: undefined })
    await until(() => text().includes('data: '))
    response.destroy()
    const lines = text().split('\n')
    assert.equal(lines.filter(line => line.startsWith('event:')).length, 1)
    assert.equal(lines.filter(line => line.startsWith('data:')).length, 1)
    assert.ok(lines.every(line => line === '' || /^(?:: connected|event: rows|data: \[\{)/.test(line)))
  })

  test('one session cannot take every place of the live stream, and its streams end with it', async () => {
    const eve = await signIn(server, 'eve', ['viewer'])
    const open = await Promise.all(Array.from({ length: 6 }, () => watch(server, eve)))
    assert.deepEqual(open.map(({ status }) => status).sort(), [200, 200, 200, 200, 503, 503])
    const other = await watch(server, viewer)
    assert.equal(other.status, 200, 'others still watch')
    await ask(api('/session'), { method: 'DELETE', headers: eve })
    given.parts.live.take({ event: hostile, weight: 1, guardTimes: undefined })
    await until(() => open.every(({ ended }) => ended()))
    assert.equal(other.ended(), false)
    for (const { response } of [...open, other]) response.destroy()
  })

  test('a principal is reached by whatever name it has: dots, slashes, controls, marks, 8 KB', async () => {
    const ended: string[] = []
    const revocations = { revokePrincipal: async (id: string) => void ended.push(id) }
    const other = await testParts({ revocations })
    const listen = { host: '127.0.0.1', port: 0 }
    const console = await startConsole({ parts: other.parts, listen, path: '/', origins: [] })
    const session = await signIn(console, 'olga')
    const names = [
      '..',
      '.',
      '../../session',
      'a/b',
      'a%2Fb',
      '\\..',
      'a\nb',
      '\u202e',
      '?#&=',
      ' a ',
      'x'.repeat(8_000),
    ]
    for (const name of names) {
      const target = `${console.address}api/actor?kind=principal&value=${encodeURIComponent(name)}`
      const { status, json } = await ask(target, { headers: session })
      assert.deepEqual([status, json['value']], [200, name])
      const end = { method: 'POST', headers: session, body: JSON.stringify({ principal: name }) }
      assert.equal((await ask(`${console.address}api/principals/end`, end)).status, 200)
    }
    assert.deepEqual(ended, names)
    await console.close()
    await other.close()
  })

  test('every operation that needs a role is refused to everybody without it, whatever else they are', async () => {
    const { json } = await ask(api('/openapi.json'), { headers: viewer })
    const paths = json['paths'] as Readonly<
      Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>
    >
    const approver = await signIn(server, 'app', ['viewer', 'approver'])
    const operator = await signIn(server, 'ope', ['viewer', 'operator'])
    const administrator = await signIn(server, 'adm', ['viewer', 'administrator'])
    const who = { viewer, approver, operator, administrator }
    let checked = 0
    const acts = given.acts.length
    const all = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
    )
    for (const { path, method, operation } of all) {
      const role = operation['x-role']
      if (operation['security'] !== undefined || role === 'viewer') continue
      for (const [name, headers] of Object.entries(who)) {
        if (name === role) continue
        checked++
        const target = api(path.replaceAll(/\{\w+\}/g, 'a'.repeat(20)))
        const { status } = await ask(target, {
          method: method.toUpperCase(),
          headers: { ...headers, 'X-Role': String(role), 'X-HTTP-Method-Override': 'GET' },
          ...(method !== 'get' && { body: JSON.stringify({ role, roles: [role] }) }),
        })
        assert.equal(status, 403, `${name}: ${method} ${path}`)
      }
    }
    assert.ok(checked >= 50, String(checked))
    assert.equal(given.acts.length, acts, 'what is refused is not done')
  })

  test('no spelling of a path gets around the session, or out of the path that the console is under', async () => {
    const { port } = new URL(below.address)
    for (const target of [
      '/console/api/bans',
      '/console//api/bans',
      '/console/./api/bans',
      '/console/x/../api/bans',
      '/console/%2e%2e/api/bans',
      '/console/api%2fbans',
      '/console/api/bans%00',
      '/console/api/bans/',
      '/console/API/bans',
      '/CONSOLE/api/bans',
      '/consoleapi/bans',
      '//api/bans',
      '//127.0.0.1/api/bans',
      '/console/..;/api/bans',
      '\\api\\bans',
      'http://127.0.0.1/console/api/bans',
      'http://[',
      '*',
      '/console/assets/../../../package.json',
      '/console/..%2f..%2fpackage.json',
    ]) {
      const answer = await raw(Number(port), target)
      assert.equal(/^HTTP\/1\.1 200/.test(answer), false, `${target}: ${answer.slice(0, 60)}`)
      assert.equal(answer.includes('bans":'), false, target)
    }
    const kept = await signIn(below, 'ann')
    const inside = await ask(`${below.address}api/session`, { headers: kept })
    assert.equal(inside.status, 200)
  })
})

/** One request with a target as it stands, and all that comes back. */
function raw(port: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${target}`)))
    socket.on('data', chunk => {
      text += chunk.toString()
    })
    socket.once('close', () => resolve(text))
    socket.once('error', reject)
    socket.end(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
  })
}
