import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

/** Sends one body to an application that answers everything. */
async function statusOf(
  routes: Config['routes'],
  target: string,
  body: string,
  type = 'application/json',
): Promise<number> {
  const config: Config = { dataDirectory: false, routes, identify: () => ({ kind: 'user', id: 'mallory' }) }
  const layer = await postern({ config, log: 'none' })
  try {
    const handle = layer.fetch(() => new Response('done'), { peer: () => '127.0.0.1' })
    const headers = { 'content-type': type, origin: 'http://shop.example' }
    const request = new Request(`http://shop.example${target}`, { method: 'POST', headers, body })
    return (await handle(request)).status
  } finally {
    await layer.close()
  }
}

const MIXED = 'multipart/mixed; boundary=b'
const part = (...lines: string[]): string =>
  ['--b', 'Content-Type: application/http', '', ...lines, '', '--b--', ''].join('\r\n')
const inJson = (...requests: object[]): string => JSON.stringify({ requests })
const PAD = 'x'.repeat(3_000_000)
const MANY = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'GET']))
const FLOOD = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${'y'.repeat(i)}-method`, 'GET']))

const ADMIN = { require: { role: 'admin' } }
const ROUTES: Config['routes'] = {
  'DELETE /odata/Orders(7)': ADMIN,
  'DELETE /Products(7)': ADMIN,
  '/admin/**': ADMIN,
  '/v1.0/users/:id': ADMIN,
  '/wp-json/wp/v2/users/**': ADMIN,
  '/parse/classes/_User/:id': ADMIN,
  '/:page': { maxBody: '10mb' },
}

describe('a batch that holds whole requests', () => {
  for (const [name, target, body, type] of [
    ['OData', '/odata/$batch', part('DELETE Orders(7) HTTP/1.1'), MIXED],
    ['OData, an absolute path', '/odata/$batch', part('DELETE /odata/Orders(7) HTTP/1.1', 'Host: x'), MIXED],
    ['OData, an address', '/odata/$batch', part('delete http://x.example/odata/Orders(7) HTTP/1.1'), MIXED],
    ['OData, a tunnelled method', '/odata/$batch', part('POST Orders(7)', 'X-HTTP-Method: DELETE'), MIXED],
    ['OData in JSON', '/odata/$batch', inJson({ id: '1', method: 'DELETE', url: 'Orders(7)' })],
    ['OData, spelled with escapes', '/odata/%24batch', inJson({ method: 'delete', url: 'Orders%287%29' })],
    ['Graph', '/v1.0/$batch', inJson({ method: 'PATCH', url: '/users/7' })],
    ['Google', '/batch/drive/v3', part('GET /admin/keys'), 'multipart/mixed; boundary="b"'],
    ['WordPress', '/wp-json/batch/v1', inJson({ path: '/wp/v2/users/7', body: {} })],
    ['Parse', '/parse/batch', inJson({ method: 'GET', path: '/parse/classes/_User/7' })],
    ['a list', '/api/batch', JSON.stringify([{ relative_url: 'admin/x' }, { relative_url: '/admin/x' }])],
    ['operations by name', '/api/batch', JSON.stringify({ one: { uri: '/admin/x', method: 'GET' } })],
    [
      'behind another',
      '/api/batch',
      inJson({ method: 'GET', url: '/ok' }, { method: 'GET', url: '/admin/x' }),
    ],
    ['a name twice', '/odata/$batch', '{"requests":[{"method":"DELETE","url":"Orders(7)","url":"ok"}]}'],
    ['OData, a target with a space', '/odata/$batch', part('DELETE /odata/Orders(7)?a= b HTTP/1.1'), MIXED],
    ['OData, at the root', '/$batch', part('DELETE Products(7) HTTP/1.1'), MIXED],
    ['OData, at a path with a format', '/odata/$batch.json', inJson({ method: 'DELETE', url: 'Orders(7)' })],
    ['OData, back to front', '/odata/$batch', inJson({ method: ' DELETE', url: '\\odata\\Orders(7)' })],
    [
      'OData, an address with one slash',
      '/odata/$batch',
      inJson({ method: 'DELETE', url: 'http:/x/odata/Orders(7)' }),
    ],
    [
      'OData, a parameter for the method',
      '/odata/$batch',
      inJson({ method: 'POST', url: 'Orders(7)?_method=DELETE' }),
    ],
    [
      'OData, a tunnelled method in JSON',
      '/odata/$batch',
      inJson({ method: 'POST', url: 'Orders(7)', headers: { 'X-HTTP-Method': 'DELETE' } }),
    ],
    [
      'OData, a tunnelled method in a list of headers',
      '/odata/$batch',
      inJson({
        method: 'POST',
        url: 'Orders(7)',
        headers: [{ value: 'DELETE', name: 'x-http-method-override' }],
      }),
    ],
    [
      'OData, by the name of another request',
      '/odata/$batch',
      inJson({ id: '1', method: 'GET', url: 'Orders(7)' }, { id: '2', method: 'DELETE', url: '$1' }),
    ],
    [
      'OData, by the name of another part',
      '/odata/$batch',
      part('Content-ID: 1', '', 'GET Orders(7) HTTP/1.1', '', 'DELETE /$1 HTTP/1.1'),
      MIXED,
    ],
    ['WordPress, in the query', '/wp-json/batch/v1?%72equests[0][path]=/wp/v2/users/7', '{}'],
    ['a flood of wishes for methods', '/api/batch', inJson({ method: 'GET', url: 'ok', headers: FLOOD })],
    ['no JSON', '/odata/$batch', '{"requests":[{"method":"DELETE","url":"Orders(7)"},]}'],
    ['too long to be read', '/odata/$batch', part(PAD, 'DELETE Orders(7) HTTP/1.1'), MIXED],
  ] as const)
    test(`attack: ${name}: rules of a route hold for what it holds`, async () => {
      assert.equal(await statusOf(ROUTES, target, body, type), 400)
    })

  for (const [name, target, body, type] of [
    ['under no rule', '/odata/$batch', part('GET Products HTTP/1.1'), MIXED],
    ['of mail', '/upload', part('Hello admin/x', 'Please visit /admin/x today'), MIXED],
    ['of a name below the root', '/odata/$batch', inJson({ method: 'DELETE', url: 'Products(7)' })],
    [
      'by the names of others',
      '/odata/$batch',
      inJson({ id: '1', method: 'POST', url: 'Customers' }, { id: '2', method: 'POST', url: '$1/Orders' }),
    ],
    [
      'with odd headers',
      '/odata/$batch',
      inJson({ url: 'Products', headers: [{ a: { toString: 1 } }, null, 1] }),
    ],
    ['with a question', '/search/batch?q=requests', JSON.stringify([1])],
    ['of another method', '/odata/$batch', inJson({ method: 'GET', url: 'Orders(7)' })],
    ['with many headers', '/odata/$batch', inJson({ method: 'GET', url: 'ok', headers: MANY })],
    [
      'with data that name paths',
      '/api/batch',
      inJson({ method: 'POST', url: '/menu', body: { url: '/admin/x' } }),
    ],
    ['that is an upload', '/api/batch', JSON.stringify({ rows: [{ pad: PAD }] })],
    [
      'of events on pages, as Segment reports them',
      '/v1/batch',
      JSON.stringify({ batch: [{ type: 'page', properties: { path: '/admin/x', url: '/admin/x' } }] }),
    ],
    [
      'of events on pages, as Umami reports them',
      '/api/batch',
      JSON.stringify([{ type: 'event', payload: { url: '/admin/x' } }]),
    ],
    [
      'of events on requests, as Segment reports them',
      '/v1/batch',
      JSON.stringify({
        batch: [{ type: 'track', properties: { method: 'DELETE', path: '/admin/x' } }],
        context: { page: { method: 'GET', url: '/admin/x' } },
      }),
    ],
    ['of log lines', '/api/logs/batch', JSON.stringify([{ method: 'DELETE', url: '/admin/x', status: 204 }])],
    ['of texts with lines of two words', '/files', part('Please see', 'see /admin/x', 'the admin/x'), MIXED],
    ['of another endpoint', '/api/menu', JSON.stringify([{ method: 'GET', url: '/admin/x' }])],
  ] as const)
    test(`goes through ${name}`, async () => {
      assert.equal(await statusOf(ROUTES, target, body, type), 200)
    })

  test('goes through under one rule, and where it is allowed', async () => {
    const body = inJson({ method: 'DELETE', url: 'Orders(7)' })
    const all: Config['routes'] = { '/odata/**': { maxBody: '10mb' } }
    assert.equal(await statusOf(all, '/odata/$batch', body), 200)
    const allowed: Config['routes'] = { ...ROUTES, '/odata/$batch': { allowPaths: ['batch'] } }
    assert.equal(await statusOf(allowed, '/odata/$batch', body), 200)
  })

  for (const [name, target, body, type] of [
    ['Parse', '/parse/batch', inJson({ method: 'POST', path: '/parse/login', body: { username: 'ada' } })],
    ['Google', '/batch', part('POST /users/sign_in HTTP/1.1'), MIXED],
    ['OData', '/odata/$batch', part('POST login HTTP/1.1'), MIXED],
    ['an address', '/odata/$batch', inJson({ method: 'POST', url: 'https://x.example/login' })],
    ['WordPress', '/wp-json/batch/v1', inJson({ path: '/shop/v1/login' })],
    ['without a method', '/api/batch', JSON.stringify([{ url: '/login', body: { username: 'ada' } }])],
    ['by name', '/api/batch', JSON.stringify({ one: { uri: '/login', json: { username: 'ada' } } })],
    ['in an item', '/api/batch', JSON.stringify([{ request: { url: '/login', method: 'post' } }])],
    ['below a batch', '/api/batch/logs/batch', JSON.stringify([{ url: '/login', method: 'POST' }])],
    ['behind a log', '/logs/batch/api', JSON.stringify([{ url: '/login', method: 'POST' }])],
    ['at events', '/api/events/batch', inJson({ method: 'POST', url: '/login' })],
    ['at what is tracked', '/v1/track/batch', inJson({ method: 'POST', url: '/login' })],
    ['OData beside logs', '/logs/$batch', inJson({ url: 'login', method: 'POST' })],
    ['parts at a log', '/logs/batch', part('POST /users/sign_in HTTP/1.1'), MIXED],
    ['as a fact', '/parse/batch', JSON.stringify({ properties: { url: '/parse/login', method: 'POST' } })],
    ['a name twice', '/parse/batch', '{"requests":[],"requests":[{"method":"POST","path":"/parse/login"}]}'],
    ['too long to be read', '/parse/batch', inJson({ pad: PAD }, { method: 'POST', path: '/parse/login' })],
    ['too many', '/parse/batch', inJson(...Array(1_001).fill({ method: 'POST', path: '/parse/login' }))],
  ] as const)
    test(`attack: ${name}: it tries no passwords, where no rule names a login`, async () => {
      assert.equal(await statusOf({}, target, body, type), 400)
    })

  for (const [name, target, body, type] of [
    [
      'Segment',
      '/v1/batch',
      JSON.stringify({
        batch: [{ type: 'page', properties: { path: '/login', url: 'https://shop.example/login' } }],
        context: { page: { path: '/login' } },
      }),
    ],
    ['Umami', '/api/batch', JSON.stringify([{ type: 'event', payload: { url: '/login' } }])],
    [
      'Segment on a request',
      '/v1/batch',
      JSON.stringify({ batch: [{ type: 'track', properties: { url: '/login', method: 'POST' } }] }),
    ],
    ['log lines', '/logs/batch', JSON.stringify([{ method: 'POST', url: '/login', status: 200 }])],
    [
      'requests that failed',
      '/v1/errors/batch/',
      JSON.stringify([{ request: { method: 'POST', url: '/login' } }]),
    ],
    ['a list of visits', '/api/batch', JSON.stringify([{ type: 'view', url: '/login', at: 1 }])],
    ['a batch that shows the page', '/odata/$batch', inJson({ method: 'GET', url: '/login' })],
    ['a text', '/files', part('Please login', 'to /session'), MIXED],
  ] as const)
    test(`no login: ${name}: it goes through, where no rule names a login`, async () => {
      assert.equal(await statusOf({}, target, body, type), 200)
    })

  test('that is too long, where nothing else says that it holds requests, is an upload', async () => {
    assert.equal(await statusOf({}, '/upload', part('{}', PAD.replaceAll('x', 'x y\n')), MIXED), 200)
    assert.equal(await statusOf({}, '/rows/batch', JSON.stringify([{ pad: PAD }])), 200)
  })
})
