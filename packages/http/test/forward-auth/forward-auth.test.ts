import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { describe, test } from 'node:test'
import { ALLOW, CidrSet, Engine, type Event, type Guard, type Refusal } from '@postern/core'
import { type ForwardDialect, forwardAuth } from '../../src/index.ts'
import { overNetwork, type Received, type Sent } from '../harness.ts'

const SLOW_DOWN: Refusal = {
  effect: 'throttle',
  guard: 'test',
  status: 429,
  retryAfter: 9,
  reasons: [{ rule: 'limit/test', message: 'Slow down, please.' }],
}

/** Refuses deletions, and shows what else a guard would see. */
const noDeletions: Guard = {
  name: 'test',
  failure: 'closed',
  decide(exchange) {
    exchange.reply(
      'X-Seen',
      `${exchange.scheme}://${exchange.host}${exchange.path.raw}?${exchange.path.query}`,
    )
    return exchange.method === 'DELETE' ? SLOW_DOWN : ALLOW
  },
}

interface Asked {
  readonly reply: Received
  readonly event: Event | undefined
}

async function ask(
  dialect: ForwardDialect,
  sent: {
    readonly method?: string
    readonly path?: string
    readonly headers: Sent['headers']
  },
  more: {
    readonly trusted?: readonly string[]
    readonly proxies?: readonly string[]
    readonly guard?: Guard
  } = {},
): Promise<Asked> {
  const engine = new Engine({
    guards: [more.guard ?? noDeletions],
    trustedProxies: CidrSet.parse(more.proxies ?? []),
  })
  let event: Event | undefined
  engine.listen(settled => {
    event = settled
  })
  const trusted = CidrSet.parse(more.trusted ?? ['loopback'])
  const server: Server = createServer(
    forwardAuth(engine, { dialect, trusted, prefix: dialect === 'envoy' ? '/check' : '' }),
  )
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const app = overNetwork(
    server,
    () => 0,
    () => new Promise(resolve => server.close(resolve)),
  )
  try {
    return { reply: await app.send({ path: '/auth', ...sent }), event }
  } finally {
    await app.close()
  }
}

/** Serves pages of its own, and changes the cookie of everything else. */
const serving: Guard = {
  name: 'serving',
  failure: 'closed',
  decide(exchange) {
    const { query } = exchange.path
    if (query !== 'dry=1') {
      const headers = ['Location', '/.postern/sign-in', 'Set-Cookie', 'a=1']
      return { effect: 'allow', answer: { status: Number(query), headers, body: 'own page' } }
    }
    exchange.setRequestHeader('cookie', 'inner=42')
    exchange.setRequestHeader('x-secret', undefined)
    return ALLOW
  },
}

/** What each proxy sends for `METHOD https://shop.example/orders/7?dry=1` from 203.0.113.5. */
const ASKING: Readonly<Record<ForwardDialect, (method: string) => Parameters<typeof ask>[1]>> = {
  nginx: method => ({
    path: '/postern',
    headers: {
      Host: 'shop.example',
      'X-Original-Method': method,
      'X-Original-URI': '/orders/7?dry=1',
      'X-Original-Host': 'shop.example',
      'X-Original-Proto': 'https',
      'X-Forwarded-For': '203.0.113.5',
    },
  }),
  traefik: method => ({
    headers: {
      Host: '127.0.0.1:9090',
      'X-Forwarded-For': '203.0.113.5',
      'X-Forwarded-Host': 'shop.example',
      'X-Forwarded-Method': method,
      // As of a WebSocket, with trustForwardHeader.
      'X-Forwarded-Proto': 'wss',
      'X-Forwarded-Server': 'edge-1',
      'X-Forwarded-Uri': '/orders/7?dry=1',
    },
  }),
  caddy: method => ({
    headers: {
      Host: 'shop.example',
      'X-Forwarded-For': '203.0.113.5',
      'X-Forwarded-Host': 'shop.example',
      'X-Forwarded-Method': method,
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Uri': '/orders/7?dry=1',
    },
  }),
  envoy: method => ({
    method,
    path: '/check/orders/7?dry=1',
    headers: {
      Host: 'shop.example',
      'X-Forwarded-For': '203.0.113.5',
      'X-Forwarded-Proto': 'https',
      'Content-Length': '0',
    },
  }),
}

test('attack: the certificate by which the proxy signs in to ask is not that of its clients', async () => {
  let native: unknown = 'not seen'
  const guard: Guard = {
    name: 'test',
    failure: 'closed',
    decide(exchange) {
      native = exchange.source.native
      return ALLOW
    },
  }
  for (const [dialect, asking] of Object.entries(ASKING) as [
    ForwardDialect,
    (method: string) => Parameters<typeof ask>[1],
  ][]) {
    const { reply } = await ask(dialect, asking('GET'), { guard })
    assert.equal(reply.status, 200)
    assert.equal(native, undefined, dialect)
  }
})

describe('the forward-auth endpoint', { timeout: 30_000 }, () => {
  for (const dialect of ['nginx', 'traefik', 'caddy', 'envoy'] as const) {
    test(`sees the original request of ${dialect} and lets it pass`, async () => {
      const { reply, event } = await ask(dialect, ASKING[dialect]('GET'))
      assert.equal(reply.status, 200)
      assert.equal(reply.body, '')
      assert.equal(reply.headers['x-seen'], 'https://shop.example/orders/7?dry=1')
      assert.equal(event?.actor.address, '203.0.113.5')
      assert.equal(event?.request?.method, 'GET')
      assert.equal(event?.request?.host, 'shop.example')
      assert.equal(event?.outcome?.status, 0)
      assert.equal(event?.outcome?.aborted, false)
    })

    test(`refuses through ${dialect} with the status that it understands`, async () => {
      const { reply, event } = await ask(dialect, ASKING[dialect]('DELETE'))
      assert.equal(reply.status, dialect === 'nginx' ? 403 : 429)
      assert.equal(reply.headers['x-postern-status'], '429')
      assert.equal(reply.headers['retry-after'], '9')
      assert.equal(reply.headers['x-request-id'], event?.request?.id)
      assert.equal(JSON.parse(reply.body).status, 429)
      assert.equal(event?.decision, 'throttle')
      assert.equal(event?.outcome?.status, 429)
    })

    test(`accepts only the proxies it trusts, whatever others send in the headers of ${dialect}`, async () => {
      const { reply, event } = await ask(dialect, ASKING[dialect]('GET'), { trusted: ['10.0.0.0/8'] })
      assert.equal(reply.status, 403)
      assert.equal(event, undefined)
      assert.match(reply.body, /only the proxies/)
    })

    test(`fails and says what is missing when ${dialect} does not tell who the client is`, async () => {
      const asking = ASKING[dialect]('GET')
      const { 'X-Forwarded-For': _left, ...headers } = asking.headers ?? {}
      const { reply } = await ask(dialect, { ...asking, headers })
      assert.equal(reply.status, 500)
      assert.match(reply.body, /X-Forwarded-For must be sent/)
    })
  }

  test('walks on from the proxy only through proxies that the engine trusts too', async () => {
    const asking = ASKING.traefik('GET')
    const headers = { ...asking.headers, 'X-Forwarded-For': '192.0.2.66, 198.51.100.1, 10.0.0.9' }
    const untrusting = await ask('traefik', { ...asking, headers })
    assert.equal(untrusting.event?.actor.address, '10.0.0.9')
    const trusting = await ask('traefik', { ...asking, headers }, { proxies: ['10.0.0.0/8'] })
    assert.equal(trusting.event?.actor.address, '198.51.100.1')
  })

  for (const [what, change] of [
    ['no target', { 'X-Forwarded-Uri': '' }],
    ['a target that is not a path', { 'X-Forwarded-Uri': 'orders' }],
    ['a target with a space', { 'X-Forwarded-Uri': '/a b' }],
    ['an invalid method', { 'X-Forwarded-Method': 'G(T' }],
    ['an invalid address', { 'X-Forwarded-For': 'unknown' }],
  ] as const) {
    test(`decides nothing for an asking with ${what}`, async () => {
      const asking = ASKING.caddy('GET')
      const { reply, event } = await ask('caddy', { ...asking, headers: { ...asking.headers, ...change } })
      assert.equal(reply.status, 500)
      assert.equal(event, undefined)
    })
  }

  test("decides nothing when a describing header came twice: one may be the client's", async () => {
    const asking = ASKING.caddy('GET')
    const twice = { ...asking.headers, 'X-Forwarded-Uri': ['/harmless', '/orders/7'] }
    const { reply } = await ask('caddy', { ...asking, headers: twice })
    assert.equal(reply.status, 500)
  })

  test('decides nothing for a path outside the prefix that Envoy was given', async () => {
    const { reply } = await ask('envoy', { ...ASKING.envoy('GET'), path: '/orders' })
    assert.equal(reply.status, 500)
  })

  for (const [status, traefik, nginx] of [
    ['200', 421, 403],
    ['204', 421, 403],
    ['303', 303, 403],
    ['401', 401, 401],
  ] as const) {
    test(`passes a page that a guard serves with ${status} on as far as the proxy can`, async () => {
      const { headers } = ASKING.traefik('GET')
      for (const [dialect, told, sent] of [
        ['traefik', traefik, { ...headers, 'X-Forwarded-Uri': `/?${status}` }],
        ['nginx', nginx, { ...ASKING.nginx('GET').headers, 'X-Original-URI': `/?${status}` }],
      ] as const) {
        const { reply, event } = await ask(dialect, { headers: sent }, { guard: serving })
        assert.equal(reply.status, told)
        assert.equal(event?.decision, 'allow')
        const shown = traefik === 421 ? '421' : status
        assert.equal(reply.headers['x-postern-status'], shown)
        if (traefik === 421) assert.match(reply.body, /route it to the Postern gateway/)
        else {
          assert.equal(reply.body, 'own page')
          assert.equal(reply.headers['location'], '/.postern/sign-in')
        }
      }
    })
  }

  test('hands request headers that a guard changed to the proxy as answer headers', async () => {
    const asking = ASKING.traefik('GET')
    const headers = { ...asking.headers, Cookie: 'sealed=abc', 'X-Secret': 'out' }
    const { reply } = await ask('traefik', { headers }, { guard: serving })
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['cookie'], 'inner=42')
    assert.equal(reply.headers['x-secret'], '')
  })
})
