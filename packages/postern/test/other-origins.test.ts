import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBackend } from '../../cli/test/backend.ts'
import { startGatewayProcess } from '../../cli/test/cli.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const ORIGIN = 'https://app.example.com'

async function withLayer(config: Config, work: (layer: Postern) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-origins-'))
  const layer = await postern({ folder, config: { audit: false, ...config } })
  try {
    await work(layer)
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Asks like a browser on a page of another origin. */
function asker(layer: Postern): (path: string, init?: RequestInit) => Promise<Response> {
  const answer = layer.fetch(() => new Response('hello', { headers: { vary: 'Accept' } }))
  return async (path, { headers, ...init } = {}) => {
    const response = await answer(
      new Request(`http://api.example.com${path}`, {
        ...init,
        headers: { host: 'api.example.com', origin: ORIGIN, ...headers },
      }),
    )
    await response.clone().text()
    return response
  }
}

const preflight = (method: string): RequestInit => ({
  method: 'OPTIONS',
  headers: { 'access-control-request-method': method, 'access-control-request-headers': 'content-type,x-a' },
})

test('a refusal can be read by the page that was refused, with the time to try again', () =>
  withLayer(
    { cors: { origins: [ORIGIN], credentials: true }, routes: { '/api/**': { throttle: '1/1m' } } },
    async layer => {
      const ask = asker(layer)
      assert.equal((await ask('/api/x')).status, 200)
      const refused = await ask('/api/x')
      assert.equal(refused.status, 429)
      assert.equal(refused.headers.get('access-control-allow-origin'), ORIGIN)
      assert.equal(refused.headers.get('access-control-allow-credentials'), 'true')
      for (const name of ['Retry-After', 'RateLimit', 'X-Request-Id'])
        assert.match(refused.headers.get('access-control-expose-headers') ?? '', new RegExp(`\\b${name}\\b`))
      assert.match(refused.headers.get('vary') ?? '', /Origin/)
    },
  ))

test('a cache tells apart who asked, where an answer without leave could be given to a page that has it', async () => {
  const ways: Readonly<Record<string, readonly [init: RequestInit, vary: string | null]>> = {
    'a page that has leave': [{}, 'Accept, Origin'],
    'a page without leave': [{ headers: { origin: 'https://other.example' } }, 'Accept, Origin'],
    'a page of a file': [{ headers: { origin: 'null' } }, 'Accept, Origin'],
    'what no cache keeps': [{ method: 'POST', headers: { origin: 'https://other.example' } }, 'Accept'],
  }
  for (const [origins, without] of [
    [[ORIGIN], 'Accept, Origin'],
    [['https://*.example.com'], 'Accept, Origin'],
    [['*'], 'Accept'],
  ] as const)
    await withLayer({ cors: { origins } }, async layer => {
      const ask = asker(layer)
      if (without !== 'Accept')
        for (const [name, [init, vary]] of Object.entries(ways))
          assert.equal((await ask('/x', init)).headers.get('vary'), vary, name)
      const answer = layer.fetch(request => {
        const vary = new URL(request.url).searchParams.get('vary')
        return new Response('hello', { headers: vary === null ? {} : { vary } })
      })
      const plain = async (query: string): Promise<string | null> => {
        const request = new Request(`http://api.example.com/x${query}`, {
          headers: { host: 'api.example.com' },
        })
        return (await answer(request)).headers.get('vary')
      }
      assert.equal(await plain(''), without === 'Accept' ? null : 'Origin')
      assert.equal(await plain('?vary=accept,ORIGIN'), 'accept,ORIGIN')
      assert.equal(await plain('?vary=*'), '*')
    })
})

test('every kind of refusal can be read: of inspection, of HTTP itself, of a route that does not answer the method', () =>
  withLayer({ cors: { origins: [ORIGIN] }, routes: { '/one': { methods: ['GET'] } } }, async layer => {
    const ask = asker(layer)
    for (const [path, init] of [
      ["/?q=1'%20UNION%20SELECT%20password%20FROM%20users--", {}],
      ['/', { headers: { 'x-original-url': '/admin' } }],
      ['/one', { method: 'POST' }],
    ] as const) {
      const refused = await ask(path, init)
      assert.ok(refused.status >= 400, path)
      assert.equal(refused.headers.get('access-control-allow-origin'), ORIGIN, path)
    }
  }))

test('another origin gets no leave, neither do look-alikes of a wildcard', () =>
  withLayer({ cors: { origins: ['https://*.example.com'] }, limits: { address: '1/1m' } }, async layer => {
    const ask = asker(layer)
    await ask('/')
    for (const origin of [
      'https://evil.example',
      'https://example.com',
      'https://evilexample.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      'https://evil.example/.example.com',
      'null',
    ]) {
      const response = await ask('/', { headers: { origin } })
      assert.equal(response.status, 429)
      assert.equal(response.headers.get('access-control-allow-origin'), null, origin)
    }
    const own = await ask('/', { headers: { origin: 'https://a.b.example.com' } })
    assert.equal(own.headers.get('access-control-allow-origin'), 'https://a.b.example.com')
  }))

test('preflights are answered before every check, and never counted', () =>
  withLayer(
    {
      cors: { origins: [ORIGIN], maxAge: '1h' },
      limits: { address: '2/1m' },
      routes: { 'PUT /notes/:id': { methods: ['PUT'] } },
    },
    async layer => {
      const ask = asker(layer)
      for (let i = 0; i < 10; i++) {
        const { status, headers } = await ask('/notes/1', preflight('PUT'))
        assert.equal(status, 204)
        assert.equal(headers.get('access-control-allow-origin'), ORIGIN)
        assert.equal(headers.get('access-control-allow-methods'), 'PUT')
        assert.equal(headers.get('access-control-allow-headers'), 'content-type,x-a')
        assert.equal(headers.get('access-control-max-age'), '3600')
      }
      assert.equal((await ask('/')).status, 200)
    },
  ))

test('without the setting preflights go to the application, and no limit counts them', () =>
  withLayer({ limits: { address: '2/1m', burst: { limit: '2/1m', routes: ['/api/**'] } } }, async layer => {
    const ask = asker(layer)
    for (let i = 0; i < 10; i++) assert.equal((await ask('/api/x', preflight('PUT'))).status, 200)
    assert.equal((await ask('/api/x')).status, 200)
  }))

test('what only looks like a preflight is counted', () =>
  withLayer({ limits: { address: '2/1m' } }, async layer => {
    const ask = asker(layer)
    const withBody = { ...preflight('PUT'), body: 'x' }
    const overriding = preflight('PUT')
    for (const init of [
      withBody,
      { ...overriding, headers: { ...overriding.headers, 'x-http-method-override': 'GET' } },
      { method: 'OPTIONS' },
    ])
      await ask('/', init)
    assert.equal((await ask('/')).status, 429)
  }))

test('an answer of the application keeps what it says of origins, and gets it where it says nothing', () =>
  withLayer({ cors: { origins: ['*'] }, routes: { '/own': { cors: false } } }, async layer => {
    const ask = asker(layer)
    const plain = await ask('/')
    assert.equal(plain.headers.get('access-control-allow-origin'), '*')
    assert.equal(plain.headers.get('vary'), 'Accept')
    assert.equal((await ask('/own')).headers.get('access-control-allow-origin'), null)
    const own = layer.fetch(
      () => new Response('', { headers: { 'access-control-allow-origin': 'https://x.example' } }),
    )
    const answer = await own(new Request('http://api.example.com/', { headers: { origin: ORIGIN } }))
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://x.example')
  }))

test('credentials for every origin are refused when the configuration is read', async () => {
  // Any page has the origin "null" in a frame with the attribute sandbox.
  for (const origin of ['*', 'null'])
    await assert.rejects(
      postern({ config: { cors: { origins: ['https://app.example', origin], credentials: true } } }),
      /cors\.credentials[\s\S]*any page could act as its visitor/,
    )
  await assert.rejects(postern({ config: { cors: { origins: ['app.example.com/x'] } } }), /not an origin/)
})

test('the gateway does the same: refusals, its own failures, and preflights, once each header', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-origins-'))
  writeFileSync(
    join(folder, 'postern.config.yaml'),
    `cors: { origins: ['${ORIGIN}'] }\nroutes: { /api/**: { throttle: 2/1m }, /own: { cors: { origins: ['*'] } } }\n`,
  )
  const backend = await startBackend((request, response) => {
    if (request.url === '/broken') response.destroy()
    else if (request.url === '/own') response.setHeader('Access-Control-Allow-Origin', 'https://own.example')
    response.end('hello')
  })
  const gateway = await startGatewayProcess(['--to', backend.url], folder)
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.url}${path}`, { ...init, headers: { origin: ORIGIN, ...init.headers } })
  try {
    for (let i = 0; i < 3; i++) assert.equal((await ask('/api/x', preflight('POST'))).status, 204)
    for (const [path, status] of [
      ['/api/x', 200],
      ['/api/x', 200],
      ['/api/x', 429],
      ['/broken', 502],
    ] as const) {
      const response = await ask(path)
      assert.equal(response.status, status)
      assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN, path)
    }
    const own = await ask('/own')
    assert.equal(own.headers.get('access-control-allow-origin'), 'https://own.example')
    const saved = await ask('/wp-json/wp/v2/pages/21', {
      method: 'POST',
      body: '{}',
      headers: { 'x-http-method-override': 'PUT', 'content-type': 'application/json' },
    })
    assert.equal(saved.status, 200)
    assert.deepEqual(backend.seen.at(-1), 'POST /wp-json/wp/v2/pages/21')
  } finally {
    await gateway.stop()
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
