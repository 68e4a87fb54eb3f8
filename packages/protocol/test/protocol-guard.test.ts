import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Decision, Engine, type EngineOptions, RouteTable } from '@postern/core'
import { type ProtocolOptions, protocolGuard } from '../src/protocol-guard.ts'

interface Ask {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly httpVersion?: string
}

function ask(request: Ask, options: ProtocolOptions = {}, engine: EngineOptions = {}): Decision {
  const made = new Engine({ ...engine, guards: [protocolGuard(options)] })
  const exchange = made.open({
    method: request.method ?? 'GET',
    target: request.target ?? '/',
    headers: request.headers ?? ['Host', 'shop.example'],
    peer: '192.0.2.7',
    secure: false,
    httpVersion: request.httpVersion ?? '1.1',
    body: undefined,
    native: undefined,
  })
  const decision = made.decide(exchange)
  assert.ok(!(decision instanceof Promise), 'the protocol guard answers at once')
  return decision
}

function refused(
  request: Ask,
  rule: string,
  status: number,
  options: ProtocolOptions = {},
  routes?: RouteTable,
): void {
  const decision = ask(request, options, routes === undefined ? {} : { routes })
  assert.ok(decision.effect !== 'allow', `${JSON.stringify(request)} must be refused`)
  assert.equal(decision.reasons[0].rule, `protocol/${rule}`)
  assert.equal(decision.status, status)
}

function passes(request: Ask, options: ProtocolOptions = {}, routes?: RouteTable): void {
  const decision = ask(request, options, routes === undefined ? {} : { routes })
  assert.equal(decision.effect, 'allow', JSON.stringify(decision))
}

const host = ['Host', 'shop.example'] as const

describe('protocol guard: methods', () => {
  for (const method of [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'PROPFIND',
    'MKCOL',
    'REPORT',
    'SEARCH',
    'MERGE',
    'MKACTIVITY',
    'CHECKOUT',
  ])
    test(`lets ${method} pass`, () => passes({ method }))
  for (const method of ['TRACE', 'TRACK', 'CONNECT', 'DEBUG', 'PURGE', 'get', 'JEFF', '<script>'])
    test(`refuses ${method} with 405`, () => refused({ method }, 'method', 405))

  test('the exception of a refusal names no method that a configuration takes for a mistake', () => {
    for (const [method, isTaken] of [
      ['PURGE', true],
      ['M-SEARCH', true],
      ['LIST', false],
      ['RPC_IN_DATA', false],
      ['VERSION-CONTROL', false],
    ] as const) {
      const decision = ask({ method, target: '/v1/secret' })
      assert.ok(decision.effect === 'deny')
      assert.equal(decision.reasons[0].exception !== undefined, isTaken, method)
    }
  })

  test('a route may declare fewer methods, and the refusal names the narrowest exception', () => {
    const routes = new RouteTable({ '/report': { methods: ['GET'] } })
    passes({ method: 'HEAD', target: '/report' }, {}, routes)
    const decision = ask({ method: 'DELETE', target: '/report' }, {}, { routes })
    assert.ok(decision.effect === 'deny')
    assert.deepEqual(decision.reasons[0].exception?.changes, [
      { at: ['routes', 'DELETE /report', 'methods'], set: ['GET', 'DELETE'] },
    ])
    assert.deepEqual(decision.headers, ['Allow', 'GET'])
  })
  test('a route may declare a method of its own, but never TRACE', () => {
    const routes = new RouteTable({ '/dav/**': { methods: ['PURGE', 'TRACE'] } })
    passes({ method: 'PURGE', target: '/dav/x' }, {}, routes)
    refused({ method: 'TRACE', target: '/dav/x' }, 'method', 405, {}, routes)
  })
  test('a preflight passes on a route that declares no OPTIONS', () => {
    const routes = new RouteTable({ '/api/**': { methods: ['POST'] } })
    passes(
      { method: 'OPTIONS', target: '/api/x', headers: [...host, 'Access-Control-Request-Method', 'POST'] },
      {},
      routes,
    )
  })
  test('a header that asks for another method is decided as if that had been sent', () => {
    const deleting = { method: 'POST', headers: [...host, 'X-HTTP-Method-Override', 'DELETE'] }
    passes(deleting)
    refused(deleting, 'override', 400, { methodOverride: false })
    refused(deleting, 'method', 405, { methods: ['GET', 'POST'] })
    passes(deleting, { methods: ['GET', 'POST'], allowOverrides: ['x-http-method-override'] })
  })
  test('a header that asks for another path is refused', () => {
    refused({ headers: [...host, 'X-Original-URL', '/admin'] }, 'override', 400)
    for (const name of ['x-original-url', 'x-original-uri', 'x-rewrite-url']) {
      for (const spelt of [name, name.toUpperCase(), name.replace(/-(\w)/g, (_, a) => `-${a.toUpperCase()}`)])
        refused({ headers: [...host, spelt, '/admin'] }, 'override', 400)
    }
    passes({ headers: [...host, 'X-Original-URL', '/'] }, { allowOverrides: ['x-original-url'] })
  })
})

describe('protocol guard: hosts', () => {
  test('refuses two Hosts, none, and a Host that is not a host', () => {
    refused({ headers: [...host, 'host', 'evil.example'] }, 'host', 400)
    refused({ headers: [] }, 'host', 400)
    for (const bad of ['a b', 'shop.example/x', 'user@shop.example', 'a,b', '', 'x:99999999'])
      refused({ headers: ['Host', bad] }, 'host', 400)
  })
  test('takes names, ports, IPv4 and IPv6', () => {
    for (const good of [
      'localhost',
      'shop.example:8080',
      '127.0.0.1:3000',
      '[::1]:3000',
      'my_service.internal',
    ])
      passes({ headers: ['Host', good] })
  })
  test('HTTP/1.0 needs no Host', () => passes({ headers: [], httpVersion: '1.0' }))
  test('refuses an absolute target that names another host', () => {
    refused({ target: 'http://evil.example/', headers: host }, 'host', 400)
    passes({ target: 'http://SHOP.example/a', headers: host })
  })
  test('refuses HTTP/2 whose Host is not its authority', () => {
    refused(
      { headers: [':authority', 'shop.example', 'host', 'evil.example'], httpVersion: '2.0' },
      'host',
      400,
    )
    passes({ headers: [':authority', 'shop.example'], httpVersion: '2.0' })
  })
})

describe('protocol guard: paths that rules and backend may read differently', () => {
  for (const target of [
    '/admin/../public',
    '/public/%2e%2e/admin',
    '/a/..%2fadmin',
    '/a\\..\\admin',
    '/a%5c/admin',
    '/a%5c%5cadmin',
    '/%5cevil.example/admin',
    '/admin%5c',
    '/x%00.png',
    '/%c0%ae%c0%ae/admin',
    '/a/%',
    '/a/%zz',
    '//evil.example/admin',
    '/a/%252e%252e/admin',
    '/a/%252e%252e%252fadmin',
    '/a/..;/admin',
    '/./../admin',
    '/.;/admin',
    '/%2e/admin',
    '/.//evil.example/admin',
    'admin',
  ])
    test(`refuses ${target}`, () => {
      const decision = ask({ target })
      assert.notEqual(decision.effect, 'allow')
    })
  for (const target of [
    '/a//b',
    '/./InRelease',
    '/a/./b/.',
    '/cart;jsessionid=1F',
    '/r%E9sum%E9',
    '/caf%C3%A9',
    '/@scope%2fname',
    '/a.b/..c/...',
    '/100%25',
    '/proxy/https%3A%2F%2Fcdn.example%2Fx.png',
    '/search/%E2%9C%93',
    '/index.php/Special:ChangeCredentials/MediaWiki%5CAuth%5CPasswordAuthenticationRequest',
    '/',
  ])
    test(`lets ${target} pass`, () => passes({ target }))

  test('an encoded slash is refused only where it would walk round a rule', () => {
    const routes = new RouteTable({ 'DELETE /orders/:id': { methods: ['DELETE'] }, '/npm/**': {} })
    refused({ method: 'DELETE', target: '/orders/5%2fx' }, 'path', 400, { routes }, routes)
    passes({ target: '/npm/@scope%2fname' }, { routes }, routes)
  })
  test('an encoded backslash inside a name is refused only where it would walk round a rule', () => {
    const routes = new RouteTable({ '/shop/admin': { methods: ['GET'] }, '/jobs/**': {} })
    refused({ target: '/shop%5Cadmin' }, 'path', 400, { routes }, routes)
    refused({ target: '/jobs%5Capp' }, 'path', 400, { routes }, routes)
    passes({ target: '/jobs/App%5CJobs%5CSend' }, { routes }, routes)
    // A backend that decodes one of the two reads a third path.
    refused({ target: '/npm%2Fx%5Cy' }, 'path', 400, { routes }, routes)
  })
  test('a batch is refused only where an operation in it has rules of its own', () => {
    const routes = new RouteTable({
      '/trpc/orders.delete': { methods: ['GET'] },
      '/one/:name': { methods: ['GET'] },
      '/:page': { methods: ['GET'] },
      '/tiles/**': { methods: ['GET'] },
    })
    for (const target of [
      '/trpc/a,orders.delete?batch=1',
      '/trpc/orders.delete,a?batch=1',
      '/trpc/x/,orders.delete?batch=1',
      '/one/x/,a?batch=1',
      `/tiles/${Array.from({ length: 102 }, (_, i) => `x${i}`).join(',')}?v=1`,
    ])
      refused({ target }, 'path', 400, { routes }, routes)
    for (const target of [
      '/trpc/a,orders.delete',
      '/trpc/a,b?batch=1',
      '/one/a,b?batch=1',
      '/tiles/a,b,4.png?v=1',
      `/tiles/${Array.from({ length: 200 }, (_, i) => i).join(',')}?v=1`,
      '/x/a,b?page=2',
    ])
      passes({ target }, { routes }, routes)
  })
  test('a route may let one kind of ambiguous path through', () => {
    const routes = new RouteTable({ '/files/**': { allowPaths: ['bad-percent'] } })
    passes({ target: '/files/100%' }, {}, routes)
    refused({ target: '/files/../x' }, 'path', 400, {}, routes)
  })
})

describe('protocol guard: bodies', () => {
  const post = (headers: readonly string[]): Ask => ({ method: 'POST', headers: [...host, ...headers] })
  test('refuses a declared size beyond the limit with 413 and closes', () => {
    const decision = ask(post(['Content-Length', '2049']), { maxBody: '2kb' })
    assert.ok(decision.effect === 'deny')
    assert.equal(decision.status, 413)
    assert.equal(decision.close, true)
    assert.deepEqual(decision.reasons[0].exception?.changes, [
      { at: ['routes', 'POST /', 'maxBody'], set: 2_049 },
    ])
    passes(post(['Content-Length', '2048']), { maxBody: '2kb' })
  })
  test('a route may take larger bodies', () => {
    const routes = new RouteTable({ 'POST /upload': { maxBody: '1gb' } })
    passes({ ...post(['Content-Length', '500000000']), target: '/upload' }, {}, routes)
  })
  for (const [name, headers] of [
    ['both lengths', ['Content-Length', '5', 'Transfer-Encoding', 'chunked']],
    ['two lengths', ['Content-Length', '5', 'Content-Length', '6']],
    ['a signed length', ['Content-Length', '+5']],
    ['a hexadecimal length', ['Content-Length', '0x10']],
    ['an unknown transfer coding', ['Transfer-Encoding', 'xchunked']],
    ['a coding after chunked', ['Transfer-Encoding', 'chunked, identity']],
    ['two transfer codings', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
  ] as const)
    test(`refuses ${name}`, () => refused(post(headers), 'framing', 400))

  test('refuses a type the route never declared, with 415', () => {
    const routes = new RouteTable({ 'POST /api/**': { contentTypes: ['application/json', 'image/*'] } })
    const to = (type: string): Ask => ({
      ...post(['Content-Length', '3', 'Content-Type', type]),
      target: '/api/x',
    })
    passes(to('application/json; charset=utf-8'), {}, routes)
    passes(to('IMAGE/PNG'), {}, routes)
    refused(to('text/xml'), 'content-type', 415, {}, routes)
    refused(to('garbage'), 'content-type', 415, {}, routes)
    passes(to('json'), {}, routes)
    passes({ ...post(['Content-Length', '3', 'Content-Type', 'json; charset=utf-8']), target: '/rpc' })
    refused(to('jsonp'), 'content-type', 415, {}, routes)
    refused(to('json; charset=utf-7'), 'content-type', 415, {}, routes)
    refused({ ...post(['Content-Length', '3']), target: '/api/x' }, 'content-type', 415, {}, routes)
  })
  for (const charset of ['utf-7', 'utf-16', 'ibm037', 'utf-32le'])
    test(`refuses a body in ${charset}, which hides attacks from whoever reads bytes`, () =>
      refused(
        post(['Content-Length', '3', 'Content-Type', `text/plain; charset=${charset}`]),
        'content-type',
        415,
      ))
  test('refuses two different content types', () =>
    refused(
      post(['Content-Length', '3', 'Content-Type', 'text/plain', 'Content-Type', 'application/json']),
      'content-type',
      400,
    ))
})

describe('protocol guard: sizes of the head', () => {
  test('refuses too many headers, too many bytes, one giant, and a giant target', () => {
    const many = Array.from({ length: 101 }, (_, i) => [`X-${i}`, 'v']).flat()
    refused({ headers: [...host, ...many] }, 'headers', 431)
    refused({ headers: [...host, 'X-A', 'a'.repeat(17_000)] }, 'headers', 431)
    refused(
      { headers: [...host, ...Array.from({ length: 9 }, () => ['X-A', 'a'.repeat(4_000)]).flat()] },
      'headers',
      431,
    )
    refused({ target: `/${'a'.repeat(17_000)}` }, 'target', 414)
  })
  test('takes the head of an ordinary browser', () =>
    passes({
      headers: [
        ...host,
        'User-Agent',
        'Mozilla/5.0',
        'Accept',
        'text/html',
        'Cookie',
        'a='.padEnd(4_000, 'x'),
      ],
    }))
  test('observe mode decides and lets pass', () => {
    assert.equal(ask({ method: 'TRACE' }, { mode: 'observe' }).effect, 'allow')
  })
})
