import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Decision, type Event, type Exchange, HeaderListHead } from '@postern/core'
import helmet from 'helmet'
import { type SecurityHeadersOptions, securityHeaders, tightenCookie } from '../src/headers-entry.ts'
import { seededRandom } from './login-harness.ts'
import { type ExchangeOptions, exchangeOf } from './verify-harness.ts'

const PAGE = ['accept', 'text/html']

interface Shown {
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: readonly string[]
  readonly exchange: Exchange
  readonly events: readonly Event[]
}

async function show(
  options: SecurityHeadersOptions,
  answer: readonly string[],
  request: ExchangeOptions = { headers: PAGE },
): Promise<Shown> {
  const events: Event[] = []
  const guard = securityHeaders({
    random: seededRandom('nonce'),
    onEvent: event => events.push(event),
    ...options,
  })
  const exchange = exchangeOf(request)
  await guard.decide(exchange)
  const list = [...answer]
  const head = new HeaderListHead(200, list)
  guard.onAnswer?.(exchange, head)
  const headers: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) headers[(list[i] as string).toLowerCase()] = list[i + 1] as string
  return { headers, cookies: head.getAll('set-cookie'), exchange, events }
}

const HTML = ['Content-Type', 'text/html; charset=utf-8']

describe('security headers', () => {
  test('strict sets every header that helmet sets, to the same or a tighter value', async () => {
    const theirs: Record<string, string> = {}
    const response = {
      setHeader: (name: string, value: string) => {
        theirs[name.toLowerCase()] = value
      },
      removeHeader: () => {},
    }
    helmet()({} as never, response as never, () => {})
    const { headers } = await show({}, HTML)
    const tighter: Readonly<Record<string, (ours: string, helmets: string) => boolean>> = {
      'strict-transport-security': ours =>
        Number(/max-age=(\d+)/.exec(ours)?.[1]) >= 31_536_000 && ours.includes('includeSubDomains'),
      'x-frame-options': ours => ours === 'DENY',
      'content-security-policy': (ours, helmets) =>
        helmets.split(';').every(directive => isAtLeast(ours, directive)),
    }
    assert.ok(Object.keys(theirs).length >= 12)
    for (const [name, value] of Object.entries(theirs)) {
      const ours = headers[name] ?? ''
      assert.ok(tighter[name]?.(ours, value) ?? ours === value, `${name}: "${ours}", helmet "${value}"`)
    }
    assert.ok('permissions-policy' in headers)
  })

  /** Whether our policy has the directive with no source that helmet's does not have, but for a nonce. */
  function isAtLeast(ours: string, directive: string): boolean {
    const [name = '', ...sources] = directive.trim().split(/\s+/)
    const own = ours
      .split(';')
      .map(part => part.trim().split(/\s+/))
      .find(([first]) => first === name)
    if (own === undefined) return false
    return own
      .slice(1)
      .every(source => source === "'none'" || source.startsWith("'nonce-") || sources.includes(source))
  }

  test('what the application sets itself stays, and X-Powered-By goes', async () => {
    const { headers } = await show({}, [
      ...HTML,
      'X-Powered-By',
      'Express',
      'Referrer-Policy',
      'origin',
      'Content-Security-Policy',
      "default-src 'self' cdn.example",
    ])
    assert.equal(headers['referrer-policy'], 'origin')
    assert.equal(headers['content-security-policy'], "default-src 'self' cdn.example")
    assert.equal(headers['x-powered-by'], undefined)
  })

  test('the nonce of a page is fresh, in its policy, and told to the backend; a client cannot bring one', async () => {
    const first = await show({}, HTML)
    const nonce = first.exchange.requestChanges?.get('x-csp-nonce') ?? ''
    assert.match(nonce, /^[\w+/]{22}==$/)
    assert.ok(first.headers['content-security-policy']?.includes(`script-src 'self' 'nonce-${nonce}'`))
    const guard = securityHeaders()
    const [one, two] = [exchangeOf({ headers: PAGE }), exchangeOf({ headers: PAGE })]
    await guard.decide(one)
    await guard.decide(two)
    assert.notEqual(one.requestChanges?.get('x-csp-nonce'), two.requestChanges?.get('x-csp-nonce'))
    const forged = await show({}, HTML, { headers: ['x-csp-nonce', 'known'] })
    assert.deepEqual([...(forged.exchange.requestChanges ?? [])], [['x-csp-nonce', undefined]])
  })

  test('no HSTS on plain HTTP, no content policy on JSON, none at all where a route says so', async () => {
    assert.equal(
      (await show({}, ['Content-Type', 'application/json'])).headers['content-security-policy'],
      undefined,
    )
    const off = await show({}, HTML, { headers: PAGE, routes: { '/api/**': { headers: false } } })
    assert.deepEqual(Object.keys(off.headers), ['content-type'])
    const guard = securityHeaders()
    const exchange = exchangeOf({ headers: [...PAGE, 'x-forwarded-proto', 'http'], trusted: ['192.0.2.1'] })
    const list: string[] = [...HTML]
    await guard.decide(exchange)
    guard.onAnswer?.(exchange, new HeaderListHead(200, list))
    assert.ok(!list.includes('Strict-Transport-Security'))
  })

  test('compatible only reports, and changes go on top', async () => {
    const { headers } = await show({ policy: 'compatible' }, HTML)
    assert.equal(headers['content-security-policy'], undefined)
    assert.ok(headers['content-security-policy-report-only']?.includes('report-uri /.postern/csp-report'))
    const changed = await show(
      {
        policy: {
          base: 'compatible',
          frameOptions: false,
          cspMode: 'enforce',
          contentSecurityPolicy: { 'default-src': "'none'" },
        },
      },
      HTML,
    )
    assert.equal(changed.headers['x-frame-options'], undefined)
    assert.ok(changed.headers['content-security-policy']?.startsWith("default-src 'none'; report-uri"))
    for (const directives of [{ 'img-src': 'a; script-src *' }, { 'a b': 'c' }, { 'img-src': 'a\r\nb' }])
      assert.throws(() => securityHeaders({ policy: { contentSecurityPolicy: directives } }), {
        code: 'POSTERN_CONFIG',
      })
  })
})

describe('cookies of the backend', () => {
  test('get the attributes they lack, and lose none', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['sid=1; Path=/', 'sid=1; Path=/; Secure; HttpOnly; SameSite=Lax'],
      ['sid=1; secure; HTTPONLY; samesite=None', 'sid=1; secure; HTTPONLY; samesite=None'],
      ['XSRF-TOKEN=1', 'XSRF-TOKEN=1; Secure; SameSite=Lax'],
      ['theme=dark; SameSite=Strict', 'theme=dark; SameSite=Strict; Secure'],
      ['a=secure', 'a=secure; Secure; HttpOnly; SameSite=Lax'],
    ]
    for (const [line, wanted] of cases) assert.equal(tightenCookie(line, 'https').line, wanted)
    assert.equal(tightenCookie('sid=1', 'http').line, 'sid=1; HttpOnly; SameSite=Lax')
  })

  test('are reported once each, by name and without the value', async () => {
    const events: Event[] = []
    const guard = securityHeaders({ onEvent: event => events.push(event) })
    for (let i = 0; i < 5; i++) {
      const exchange = exchangeOf()
      await guard.decide(exchange)
      guard.onAnswer?.(
        exchange,
        new HeaderListHead(200, [
          'Set-Cookie',
          `sid=very-secret-${i}`,
          'Set-Cookie',
          'other=1; Secure; HttpOnly; SameSite=Lax',
        ]),
      )
    }
    assert.equal(events.length, 1)
    assert.deepEqual(events[0]?.data, {
      cookie: 'sid',
      added: ['Secure', 'HttpOnly', 'SameSite=Lax'],
      path: '/api/orders',
    })
  })
})

describe('reports of browsers', () => {
  test('become events, without queries, bounded', async () => {
    const { LoginWorld } = await import('./login-harness.ts')
    const events: Event[] = []
    const guard = securityHeaders({ onEvent: event => events.push(event) })
    const world = new LoginWorld({}, () => ({ status: 200 }))
    const post = async (body: string): Promise<number> => {
      const bytes = Buffer.from(body)
      const exchange = world.engine.open({
        method: 'POST',
        target: '/.postern/csp-report',
        headers: ['host', 'shop.example'],
        peer: '192.0.2.1',
        secure: true,
        httpVersion: '1.1',
        native: undefined,
        body: { read: async () => ({ bytes, complete: true }) },
      })
      const said: Decision = await guard.decide(exchange)
      return said.effect === 'allow' ? (said.answer?.status ?? 0) : 0
    }
    assert.equal(
      await post(
        '{"csp-report":{"document-uri":"https://shop.example/a?token=secret","violated-directive":"script-src","blocked-uri":"https://evil.example/x.js?y","line-number":7}}',
      ),
      204,
    )
    assert.equal(
      await post(
        '[{"type":"csp-violation","body":{"documentURL":"https://shop.example/b","effectiveDirective":"img-src","blockedURL":"inline"}},{"type":"deprecation","body":{}}]',
      ),
      204,
    )
    assert.equal(await post('not json'), 204)
    assert.deepEqual(
      events.map(event => event.data),
      [
        {
          directive: 'script-src',
          blocked: 'https://evil.example/x.js',
          page: 'https://shop.example/a',
          line: 7,
        },
        { directive: 'img-src', blocked: 'inline', page: 'https://shop.example/b', line: 0 },
      ],
    )
    for (let i = 0; i < 200; i++) await post('{"csp-report":{"violated-directive":"x"}}')
    assert.equal(events.length, 60)
  })
})
