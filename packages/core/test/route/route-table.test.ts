import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, parseRequestPath, type RouteSettings, RouteTable } from '../../src/index.ts'

/** Settings of packages that this test invents. */
function settings(values: Readonly<Record<string, unknown>>): RouteSettings {
  return values as RouteSettings
}

function table(routes: Readonly<Record<string, Readonly<Record<string, unknown>>>>): RouteTable {
  return new RouteTable(
    Object.fromEntries(Object.entries(routes).map(([pattern, values]) => [pattern, settings(values)])),
  )
}

describe('a route table', () => {
  const shop = table({
    '/**': { from: 'everywhere', log: true },
    '/api/**': { from: 'api' },
    'GET /api/**': { from: 'api reads' },
    '/api/orders/:id': { from: 'one order', id: true },
    'DELETE /api/orders/:id': { from: 'delete order' },
    '/api/orders/recent': { from: 'recent orders' },
    '/files/*/meta': { from: 'meta' },
    'POST /login': { from: 'login' },
  })

  for (const [method, path, pattern] of [
    ['GET', '/', '/**'],
    ['GET', '/other/place', '/**'],
    ['POST', '/api', '/api/**'],
    ['POST', '/api/x/y/z', '/api/**'],
    ['GET', '/api/x', 'GET /api/**'],
    ['HEAD', '/api/x', 'GET /api/**'],
    ['GET', '/api/orders/7', '/api/orders/:id'],
    ['DELETE', '/api/orders/7', 'DELETE /api/orders/:id'],
    ['DELETE', '/api/orders/recent', '/api/orders/recent'],
    ['GET', '/api/orders/7/items', 'GET /api/**'],
    ['GET', '/files/a/meta', '/files/*/meta'],
    ['GET', '/files/a/b/meta', '/**'],
    ['GET', '/files/meta', '/**'],
    ['POST', '/login', 'POST /login'],
    ['GET', '/login', '/**'],
    ['POST', '/LOGIN', 'POST /login'],
    ['delete', '/API/Orders/7', '/api/orders/:id'],
    ['GET', '/apix', '/**'],
    ['POST', '/login.json', 'POST /login'],
    ['POST', '/LOGIN.Foo', 'POST /login'],
    ['POST', '/login.', 'POST /login'],
    ['POST', '/login.json/x', '/**'],
    ['POST', '/login.tar.gz', '/**'],
    ['POST', '/.login', '/**'],
    ['GET', '/api.json', 'GET /api/**'],
    ['GET', '/api.js', '/**'],
    ['HEAD', '/api.CSS', '/**'],
    ['POST', '/api.js', '/api/**'],
  ] as const) {
    test(`matches ${method} ${path} with ${pattern}`, () => {
      assert.equal(shop.match(method, path)?.pattern, pattern)
    })
  }

  test('merges the settings of all patterns that match, the more specific over the more general', () => {
    const match = shop.match('DELETE', '/api/orders/7')
    assert.deepEqual({ ...match?.settings }, { from: 'delete order', log: true, id: true })
    assert.deepEqual({ ...match?.params }, { id: '7' })
  })

  test('takes a pattern that ends where the path does for more specific than one that goes on', () => {
    const table = new RouteTable({ '/**': {}, '/': {}, '/a/**': {}, '/a': {}, 'GET /b/**': {}, '/b': {} })
    for (const [path, pattern] of [
      ['/', '/'],
      ['/a', '/a'],
      ['/a/b', '/a/**'],
      ['/b', '/b'],
      ['/b/c', 'GET /b/**'],
    ] as const)
      assert.equal(table.match('GET', path)?.pattern, pattern)
  })

  test('does not care in which order patterns are written', () => {
    const routes = Object.entries({
      '/**': { a: 1, b: 1, c: 1, d: 1 },
      '/x/**': { b: 2, c: 2, d: 2 },
      '/x/:y': { c: 3, d: 3 },
      'GET /x/:y': { d: 4 },
    })
    fc.assert(
      fc.property(fc.shuffledSubarray(routes, { minLength: routes.length }), shuffled => {
        const match = table(Object.fromEntries(shuffled)).match('GET', '/x/1')
        assert.deepEqual({ ...match?.settings }, { a: 1, b: 2, c: 3, d: 4 })
      }),
    )
  })

  test('gives parameters as the path has them, in names that cannot reach a prototype', () => {
    const match = table({ '/:tenant/items/:constructor': {} }).match('GET', '/Acme/items/a b')
    assert.equal(match?.params['tenant'], 'Acme')
    assert.equal(match?.params['constructor'], 'a b')
    assert.equal(match?.params['toString'], undefined)
  })

  test('matches nothing when it is empty', () => {
    assert.equal(new RouteTable().match('GET', '/'), undefined)
    assert.equal(table({ 'POST /x': {} }).match('GET', '/x'), undefined)
  })

  test('names every pattern that cannot be read', () => {
    const wrong = ['orders', 'get /x', '/a/**/b', '/a*', '/:1', '/a//b', '/:a/:a', '/x?y', 'GET  /x', '/a b']
    assert.throws(
      () => table({ '/good': {}, ...Object.fromEntries(wrong.map(pattern => [pattern, {}])) }),
      error =>
        error instanceof ConfigError &&
        error.issues.length === wrong.length &&
        /routes\["orders"\]/.test(error.message),
    )
  })

  test('lets every literal path find its own pattern, in any letter case', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'b', 'C', '-', '1'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.boolean(), (segments, isUpper) => {
        const path = `/${segments.join('/')}`
        const routes = table({ '/**': {}, '/:a/**': {}, [path]: {} })
        assert.equal(routes.match('GET', isUpper ? path.toUpperCase() : path.toLowerCase())?.pattern, path)
      }),
    )
  })

  test('stays quick on a path and a table made to send it astray', () => {
    const routes = table(
      Object.fromEntries(
        Array.from({ length: 14 }, (_, depth) => [
          `${'/a'.repeat(depth)}${'/:x'.replace('x', `x${depth}`)}${'/a'.repeat(14 - depth)}/end`,
          {},
        ]),
      ),
    )
    assert.equal(routes.match('GET', `${'/a'.repeat(5_000)}`), undefined)
  })
})

interface Checks {
  readonly unchecked?: boolean
  readonly checked?: boolean
}

describe('an exemption', () => {
  const withoutUnchecked = (said: RouteSettings): RouteSettings => {
    const { unchecked, ...rest } = said as Checks
    return settings(unchecked === true ? rest : { ...rest, unchecked: false })
  }
  const routes = new RouteTable(
    {
      '/health': settings({ unchecked: true, checked: true }),
      '/files/**': settings({ unchecked: true }),
      '/files/private/**': settings({ unchecked: false }),
      '/orders/:id': settings({ unchecked: true }),
    },
    { withoutExemptions: withoutUnchecked },
  )
  const checks = (target: string): Checks => {
    const path = parseRequestPath(target)
    return (routes.match('GET', path.canonical, path.raw)?.settings ?? {}) as Checks
  }

  for (const path of [
    '/health',
    '/health?x=1',
    '/files/a',
    '/files/caf%C3%A9/b',
    '/files/a/',
    '/files/@scope%2fname',
    '/files/a;b',
    '/orders/17',
  ])
    test(`holds for ${path}`, () => assert.equal(checks(path).unchecked, true))

  for (const path of ['/health;x', '/HEALTH', '/h%65alth', '/health/', '/x/../health', '//health'])
    test(`does not hold for ${path}, and what restricts still does`, () => {
      assert.notEqual(checks(path).unchecked, true)
      assert.equal(checks(path).checked, true)
    })

  for (const path of [
    '/health;/..;/health',
    '/Files/a',
    '/files%2fa',
    '/files\\a',
    '/x/../files/a',
    '/orders/17/',
  ])
    test(`does not hold for ${path}`, () => assert.notEqual(checks(path).unchecked, true))

  test('does not hold for a path with a format, and one for that path lifts nothing of the other', () => {
    const login = { limit: 5, inspect: false }
    const routes = new RouteTable(
      { '/login': settings(login), '/login.json': settings({ inspect: false }) },
      { withoutExemptions: given => settings({ ...given, inspect: true }) },
    )
    assert.deepEqual({ ...routes.match('POST', '/login.xml')?.settings }, { limit: 5, inspect: true })
    assert.deepEqual({ ...routes.match('POST', '/login.json')?.settings }, { limit: 5, inspect: false })
  })

  test('does not come back for a path under a narrower restriction', () => {
    for (const path of ['/files/private/a', '/files/PRIVATE/a', '/files/private;x/a'])
      assert.notEqual(checks(path).unchecked, true)
  })
})

describe('the rules of a page', () => {
  const settings = (text: string): RouteSettings => ({ mode: 'observe', text }) as RouteSettings
  const table = new RouteTable(
    {
      '/admin': settings('admin'),
      'GET /shop/:id': settings('shop'),
      '/app/**': settings('app'),
      '/': settings('home'),
      '/data/**': settings('data'),
    },
    { withoutExemptions: ({ mode: _, ...rest }) => rest },
  )
  for (const [path, pattern] of [
    ['/admin/__data.json', '/admin'],
    ['/ADMIN/__data.json', '/admin'],
    ['/admin/_payload.json', '/admin'],
    ['/_next/data/dZ1x/admin.json', '/admin'],
    ['/_next/data/dZ1x/shop/7.json', 'GET /shop/:id'],
    ['/app/_next/data/dZ1x/a/b.json', '/app/**'],
    ['/_next/data/dZ1x/app/a.json', '/app/**'],
    ['/_next/data/dZ1x/index.json', '/'],
    ['/__data.json', '/'],
    ['/admin.html__data.json', '/admin'],
    ['/admin/_payload.js', '/admin'],
    ['/admin/q-data.json', '/admin'],
    ['/admin.data', '/admin'],
    ['/admin/_.data', '/admin'],
    ['/_root.data', '/'],
    ['/admin.rsc', '/admin'],
    ['/admin.prefetch.rsc', '/admin'],
    ['/index.rsc', '/'],
    ['/admin.segments/_tree.segment.rsc', '/admin'],
    ['/shop/7.segments/$d$a/__PAGE__.segment.rsc', 'GET /shop/:id'],
    ['/app/index.rsc', '/app/**'],
    ['/page-data/admin/page-data.json', '/admin'],
    ['/page-data/index/page-data.json', '/'],
    ['/app/page-data/a/page-data.json', '/app/**'],
    ['/index.php/admin', '/admin'],
    ['/INDEX.PHP/ADMIN', '/admin'],
    ['/app_dev.php/shop/7', 'GET /shop/:id'],
    ['/app/index.php/a', '/app/**'],
    ['/index.php', '/'],
  ] as const)
    test(`attack: hold for its data, and for the page by another path: ${path}`, () => {
      const match = table.match('GET', path)
      assert.equal(match?.pattern, pattern)
      const own = table.match('GET', '/app/a')
      // What loosens is for the page alone.
      assert.equal(match.settings.mode, path.startsWith('/app/') ? own?.settings.mode : undefined)
      assert.deepEqual({ ...match.params }, pattern === 'GET /shop/:id' ? { id: '7' } : {})
      assert.equal(table.match('POST', path, path, 'GET')?.pattern, pattern)
    })
  for (const path of [
    '/other/__data.json',
    '/_next/data/dZ1x/other.json',
    '/admin/x.json',
    '/_next/static/admin.js',
    '/page-data/other/page-data.json',
    '/page-data.json',
    '/other.segments/_tree.segment.rsc',
    '/index.php/other',
    '/other.php/admin',
    '/index.phpx/admin',
  ])
    test(`hold for nothing else: ${path}`, () => assert.equal(table.match('GET', path), undefined))
})
