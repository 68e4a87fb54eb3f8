import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { askApi } from '../src/api/api-by-name.ts'
import { ApiProblem } from '../src/api/api-route.ts'
import { type ConsoleServer, startConsole } from '../src/serve/console-server.ts'
import { type Answer, ask, signIn as signInTo } from './support/ask.ts'
import { type TestParts, testParts } from './support/console-parts.ts'

describe('the listener of the console', () => {
  let given: TestParts
  let server: ConsoleServer
  let proxied: ConsoleServer

  before(async () => {
    given = await testParts()
    const { parts } = given
    const listen = { host: '127.0.0.1', port: 0 }
    server = await startConsole({ parts, listen, path: '/', origins: [] })
    proxied = await startConsole({ parts, listen, path: '/console/', origins: ['https://ops.example.com'] })
  })
  after(async () => {
    await server.close()
    await proxied.close()
    await given.close()
  })

  const JSON_TYPE = { 'Content-Type': 'application/json' }
  const api = (path: string): string => `${server.address}api${path}`
  const linkOf = (address: string): string => /#link=(.*)$/.exec(address)?.[1] ?? ''
  const signIn = async (
    ...who: [name: string, roles?: Parameters<ConsoleServer['link']>[1]]
  ): Promise<{ readonly Cookie: string; readonly 'Console-Token': string }> => {
    const { 'Content-Type': _, ...headers } = await signInTo(server, ...who)
    return headers
  }

  test('answers to its own names only, so that a rebound name reaches nothing', async () => {
    const { port } = new URL(server.address)
    for (const Host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      '127.0.0.1:1',
    ])
      for (const path of ['', 'api/session'])
        assert.equal((await ask(`${server.address}${path}`, { headers: { Host } })).status, 403, Host)
    for (const Host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      assert.equal((await ask(api('/session'), { headers: { Host } })).status, 401, Host)
  })

  test('refuses calls that a page of another origin makes, with a session and all', async () => {
    const session = await signIn('ann')
    const { origin } = new URL(server.address)
    for (const headers of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: 'http://127.0.0.1:1' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site', Origin: origin },
    ])
      assert.equal(
        (await ask(api('/session'), { headers: { ...session, ...headers } as Record<string, string> }))
          .status,
        403,
        JSON.stringify(headers),
      )
    const own = { ...session, Origin: origin, 'Sec-Fetch-Site': 'same-origin' }
    assert.equal((await ask(api('/session'), { headers: own })).status, 200)
  })

  test('a form of another page cannot post to it: only JSON is read', async () => {
    const session = await signIn('ann')
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])
      assert.equal(
        (
          await ask(api('/bans'), {
            method: 'POST',
            headers: { ...session, 'Content-Type': type },
            body: '{}',
          })
        ).status,
        403,
        type,
      )
  })

  test('the cookie alone, which the backend behind the gateway may see, is not a session', async () => {
    const { Cookie, ...token } = await signIn('ann')
    assert.equal((await ask(api('/session'), { headers: { Cookie } })).status, 401)
    assert.equal((await ask(api('/session'), { headers: token })).status, 401)
    const other = await signIn('bob')
    assert.equal(
      (await ask(api('/session'), { headers: { Cookie, 'Console-Token': other['Console-Token'] } })).status,
      401,
    )
    assert.equal((await ask(api('/session'), { headers: { Cookie, ...token } })).status, 200)
  })

  test('a cookie of the same name that another port of this host planted locks nobody out', async () => {
    const { Cookie, ...token } = await signIn('ann')
    const planted = 'x'.repeat(43)
    const [name = ''] = Cookie.split('=')
    assert.match(name, /^postern-console-[0-9a-f]{8}$/)
    for (const cookie of [
      `${name}=${planted}; ${Cookie}`,
      `${name}=; ${Cookie}`,
      `__Host-${name}=${planted}; ${Cookie}`,
      `${Cookie}; __Host-${name}=${planted}`,
      `${name}=${planted};${Cookie}`,
      `${`${name}=${planted}; `.repeat(20)}${Cookie}`,
    ]) {
      const headers = { Cookie: cookie, ...token }
      assert.equal((await ask(api('/session'), { headers })).status, 200, cookie.slice(0, 80))
    }
    const mallory = await signIn('mallory')
    const headers = { Cookie: `${mallory.Cookie}; ${Cookie}`, ...token }
    assert.equal((await ask(api('/session'), { headers })).json['name'], 'ann')
    const gone = { method: 'DELETE', headers: { ...headers, ...JSON_TYPE } }
    assert.equal((await ask(api('/session'), gone)).status, 200)
    assert.equal((await ask(api('/session'), { headers: { Cookie, ...token } })).status, 401)
    assert.equal((await ask(api('/session'), { headers: mallory })).status, 200, 'only the own session ends')
  })

  test('consoles on two ports of a host have cookies of two names: who signs in to one stays signed in to the other', async () => {
    const cookieOf = async (console: ConsoleServer, host?: string): Promise<string> => {
      const { headers } = await ask(`${console.address}api/session`, {
        method: 'POST',
        headers: { ...JSON_TYPE, ...(host !== undefined && { Host: host }) },
        body: JSON.stringify({ link: linkOf(console.link('ann')) }),
      })
      return headers['set-cookie']?.[0]?.split('=')[0] ?? ''
    }
    const names = [await cookieOf(server), await cookieOf(proxied)]
    assert.ok(names.every(name => name.startsWith('postern-console-')))
    assert.notEqual(names[0], names[1])
  })

  test('signing out behind a proxy with TLS removes the cookie that signing in gave', async () => {
    const own = { ...JSON_TYPE, Host: 'ops.example.com', Origin: 'https://ops.example.com' }
    const path = `${proxied.address}api/session`
    const body = JSON.stringify({ link: linkOf(proxied.link('ann')) })
    const given = await ask(path, { method: 'POST', headers: own, body })
    const set = given.headers['set-cookie']?.[0] ?? ''
    const token = String(given.json['token'])
    const headers = { ...own, Cookie: set.split(';')[0] ?? '', 'Console-Token': token }
    const removed = (await ask(path, { method: 'DELETE', headers })).headers['set-cookie']?.[0]
    assert.equal(removed, `${set.split('=')[0]}=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0`)
  })

  test('the cookie is kept from scripts and other sites', async () => {
    const { headers } = await ask(api('/session'), {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ link: linkOf(server.link('ann')) }),
    })
    assert.match(
      headers['set-cookie']?.[0] ?? '',
      /^postern-console-[0-9a-f]{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    )
  })

  test('behind a proxy with TLS: its origin is taken, the cookie is __Host-, and the path may be kept or removed', async () => {
    const { port } = new URL(proxied.address)
    const base = `http://127.0.0.1:${port}`
    const link = proxied.link('ann')
    assert.match(link, /^https:\/\/ops\.example\.com\/console\/#link=/)
    const { status, headers } = await ask(`${base}/console/api/session`, {
      method: 'POST',
      headers: { ...JSON_TYPE, Host: 'ops.example.com', Origin: 'https://ops.example.com' },
      body: JSON.stringify({ link: linkOf(link) }),
    })
    assert.equal(status, 200)
    assert.match(
      headers['set-cookie']?.[0] ?? '',
      /^__Host-postern-console-[0-9a-f]{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    )
    for (const path of ['/console/api/session', '/api/session'])
      assert.equal((await ask(base + path, { headers: { Host: 'ops.example.com' } })).status, 401)
  })

  test('a link signs in once, and not after 15 minutes', async () => {
    const redeem = (link: string): Promise<Answer> =>
      ask(api('/session'), { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ link }) })
    const link = linkOf(server.link('ann'))
    assert.deepEqual([(await redeem(link)).status, (await redeem(link)).status], [200, 401])
    const late = linkOf(server.link('ann'))
    given.clock.advance(15 * 60_000)
    assert.equal((await redeem(late)).status, 401)
    for (const wrong of ['', 'x', `${link}x`]) assert.equal((await redeem(wrong)).status, 401)
  })

  test('a session ends after two unused hours, after twelve in all, and by signing out', async () => {
    const idle = await signIn('ann')
    given.clock.advance(2 * 3_600_000 + 1)
    assert.equal((await ask(api('/session'), { headers: idle })).status, 401)
    const long = await signIn('ann')
    for (let hour = 0; hour < 12; hour++) {
      assert.equal((await ask(api('/session'), { headers: long })).status, 200)
      given.clock.advance(3_600_000)
    }
    given.clock.advance(1)
    assert.equal((await ask(api('/session'), { headers: long })).status, 401)
    const ended = await signIn('ann')
    await ask(api('/session'), { method: 'DELETE', headers: { ...ended, ...JSON_TYPE } })
    assert.equal((await ask(api('/session'), { headers: ended })).status, 401)
  })

  test('a viewer looks and changes nothing; an operator decides no approvals', async () => {
    const viewer = { ...(await signIn('vic', ['viewer'])), ...JSON_TYPE }
    const operator = { ...(await signIn('opal', ['viewer', 'operator'])), ...JSON_TYPE }
    assert.equal((await ask(api('/bans'), { headers: viewer })).status, 200)
    const approval = `/approvals/${'a'.repeat(32)}/approve`
    for (const [method, path] of [
      ['POST', '/bans'],
      ['DELETE', '/bans/x'],
      ['POST', '/attacks/sql-injection'],
      ['POST', `/requests/${'a'.repeat(20)}/exception`],
      ['GET', `/requests/${'a'.repeat(20)}/exception`],
      ['POST', approval],
    ] as const)
      assert.equal(
        (await ask(api(path), { method, headers: viewer, ...(method !== 'GET' && { body: '{}' }) })).status,
        403,
        path,
      )
    assert.equal((await ask(api(approval), { method: 'POST', headers: operator, body: '{}' })).status, 403)
  })

  test('an act that the log cannot take is not done', async () => {
    const session = { ...(await signIn('opal')), ...JSON_TYPE }
    const body = JSON.stringify({ actor: '203.0.113.5', reason: 'test' })
    given.log.isBroken = true
    assert.equal((await ask(api('/bans'), { method: 'POST', headers: session, body })).status, 500)
    given.log.isBroken = false
    assert.match(given.failures.at(-1) ?? '', /^console POST \/bans: /)
    assert.equal(given.parts.remediations.list().length, 0)
    assert.equal((await ask(api('/bans'), { method: 'POST', headers: session, body })).status, 200)
    assert.equal(given.parts.remediations.list().length, 1)
    assert.deepEqual(given.acts.at(-1), {
      action: 'ban',
      resource: { type: 'actor' },
      data: { actor: '203.0.113.5', measure: 'block', for: '4h', reason: 'test' },
      operator: 'opal',
    })
  })

  test('a test alert says what went wrong, and is an act of somebody', async () => {
    const session = { ...(await signIn('opal')), ...JSON_TYPE }
    const { status, json } = await ask(api('/alerts/test'), { method: 'POST', headers: session, body: '{}' })
    assert.deepEqual([status, json['problems']], [200, ['Slack answered 403']])
    assert.equal(given.acts.at(-1)?.action, 'alerts.test')
  })

  test('wrong input is answered with a sentence', async () => {
    const session = { ...(await signIn('opal')), ...JSON_TYPE }
    for (const body of [
      '{',
      '[]',
      '{"actor":7}',
      '{"actor":"nobody"}',
      `{"actor":"${'x'.repeat(2_000)}"}`,
      '{"actor":"1.2.3.4","measure":"maim"}',
    ])
      assert.equal(
        (await ask(api('/bans'), { method: 'POST', headers: session, body })).status,
        400,
        body.slice(0, 40),
      )
    for (const path of [
      '/events?limit=0',
      '/events?verdict=maybe',
      '/overview?minutes=1',
      '/actor?kind=planet&value=mars',
    ])
      assert.equal((await ask(api(path), { headers: session })).status, 400, path)
    for (const path of ['/requests/x', '/nothing', '/requests/%ff', '/audit'])
      assert.equal((await ask(api(path), { headers: session })).status, 404, path)
  })

  test('no file but those of the page can be asked for', async () => {
    const { port } = new URL(server.address)
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/assets/../../index.js', '/etc/passwd'])
      assert.notEqual((await ask(`http://127.0.0.1:${port}${path}`)).status, 200, path)
  })

  test('every answer has the policy that lets a page run nothing but its own scripts', async () => {
    for (const path of ['', 'api/session', 'nothing']) {
      const { headers } = await ask(`${server.address}${path}`)
      assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self'/, path)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['x-frame-options'], 'DENY')
    }
  })

  test('the document of the API names every operation with its role', async () => {
    const { json } = await ask(api('/openapi.json'), { headers: await signIn('ann') })
    const paths = json['paths'] as Readonly<
      Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>
    >
    const operations = Object.values(paths).flatMap(Object.values)
    assert.equal(json['openapi'], '3.1.0')
    assert.ok(operations.length >= 18, String(operations.length))
    assert.equal(new Set(operations.map(operation => operation['operationId'])).size, operations.length)
    for (const operation of operations)
      assert.match(String(operation['x-role']), /^(?:viewer|operator|administrator|approver)$/)
    assert.equal(paths['/bans']?.['post']?.['x-role'], 'operator')
  })

  test('at most 16 pages watch at once', async () => {
    const { live } = given.parts
    const stops = Array.from({ length: 16 }, (_, i) => live.listen(() => undefined, { name: String(i) }))
    assert.equal((await ask(api('/live'), { headers: await signIn('ann') })).status, 503)
    for (const stop of stops) stop?.()
  })
})

test('what an operator tried is in the log before it is done, and that it was refused or failed after it', async () => {
  const problems: Error[] = [
    new ApiProblem(403, 'needs a consent'),
    new ConfigError({ place: 'x', problem: 'no' }),
    new Error('of somebody else'),
  ]
  const { parts, acts, log, close } = await testParts()
  const settings = {
    ...parts.settings,
    write: async () => {
      const problem = problems.shift()
      if (problem !== undefined) throw problem
      return []
    },
  }
  const call = {
    method: 'POST',
    path: '/settings',
    body: { before: '', text: 'a' },
    operator: 'ann',
  } as const
  const write = (): Promise<unknown> => askApi({ ...parts, settings }, call)
  for (const problem of [...problems]) await assert.rejects(write, problem)
  await write()
  const entry = { action: 'settings.write', resource: { type: 'configuration' }, operator: 'ann' }
  assert.deepEqual(acts, [
    entry,
    { ...entry, data: { failed: 'refused with 403' } },
    entry,
    { ...entry, data: { failed: 'ConfigError' } },
    entry,
    { ...entry, data: { failed: 'Error' } },
    entry,
  ])
  log.isBroken = true
  await assert.rejects(write, /disk full/)
  assert.equal(acts.length, 7, 'nothing failed, because nothing was done')
  await close()
})
