import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

interface Ask {
  readonly peer?: string
  readonly path?: string
  readonly agent?: string
  readonly body?: unknown
}

/** The statuses of one request after the other. */
async function statuses(
  config: Config,
  asks: readonly Ask[],
  between?: () => Promise<void>,
): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-who-'))
  const layer = await postern({ folder, config: { audit: false, ...config }, log: 'none' })
  const found: number[] = []
  try {
    for (const { peer = '192.0.2.1', path = '/', agent = 'test', body } of asks) {
      const answer = layer.fetch(() => new Response('hello'), { peer: () => peer })
      const headers = { host: 'shop.example', 'user-agent': agent, 'content-type': 'application/json' }
      const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await answer(new Request(`http://shop.example${path}`, init))
      await response.text()
      found.push(response.status)
      await between?.()
    }
    return found
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('block and allow', () => {
  test('refuse by network and by user agent, without a scenario', async () => {
    const config: Config = {
      block: ['203.0.113.0/24', { userAgent: 'somebot/' }, { network: '198.51.100.0/24', userAgent: 'curl' }],
      allow: ['203.0.113.7'],
    }
    assert.deepEqual(
      await statuses(config, [
        { peer: '203.0.113.9' },
        { peer: '203.0.113.7' },
        { agent: 'Mozilla/5.0 (compatible; SomeBot/2.1)' },
        { peer: '198.51.100.4', agent: 'curl/8.1' },
        { peer: '198.51.100.4' },
        { peer: '192.0.2.1', agent: 'curl/8.1' },
      ]),
      [403, 200, 403, 403, 200, 200],
    )
  })

  test('of a route: nobody but the office', async () => {
    const config: Config = {
      routes: { '/admin/**': { block: ['all'], allow: ['10.0.0.0/8', '2001:db8::/32'] } },
    }
    assert.deepEqual(
      await statuses(config, [
        { peer: '10.1.2.3', path: '/admin/x' },
        { peer: '2001:db8::1', path: '/admin/x' },
        { peer: '192.0.2.1', path: '/admin/x' },
        { peer: '2001:db9::1', path: '/admin/x' },
        { peer: '192.0.2.1', path: '/ADMIN/x' },
        { peer: '192.0.2.1' },
      ]),
      [200, 200, 403, 403, 403, 200],
    )
  })

  test('of a route add to what is blocked everywhere', async () => {
    const config: Config = { block: ['203.0.113.9'], routes: { '/a': { block: ['192.0.2.1'] } } }
    assert.deepEqual(
      await statuses(config, [{ peer: '203.0.113.9', path: '/a' }, { path: '/a' }, {}]),
      [403, 403, 200],
    )
  })

  test('name what is wrong', async () => {
    await assert.rejects(
      statuses({ block: ['evil.example'] }, []),
      /block.*"evil\.example" is not an address or range/s,
    )
    await assert.rejects(statuses({ allow: ['10.0.0.0/8'] }, []), /allow.*has no effect: nobody is blocked/s)
    for (const [client, hint] of [
      ['python-requests', /\{ userAgent: "python-requests" \}/],
      ['Mozilla/5.0 (X11)', /\{ userAgent: "Mozilla\/5\.0 \(X11\)" \}/],
      ['localhost', /did you mean "loopback"/],
      ['cloudflar', /did you mean "cloudflare"/],
    ] as const)
      await assert.rejects(statuses({ block: [client] }, []), hint)
    await assert.rejects(statuses({ block: [{}] }, []), /names neither network nor userAgent/)
  })
})

describe('exempt of a limit', () => {
  test('takes ranges, and single IPv6 addresses', async () => {
    const config: Config = {
      limits: { address: { limit: '1/1m', exempt: ['10.0.0.0/8', '2001:db8::7', 'loopback'] } },
    }
    for (const peer of ['10.1.2.3', '2001:db8::7', '127.0.0.1'])
      assert.deepEqual(await statuses(config, [{ peer }, { peer }, { peer }]), [200, 200, 200], peer)
    for (const peer of ['11.1.2.3', '2001:db8::8'])
      assert.deepEqual(await statuses(config, [{ peer }, { peer }]), [200, 429], peer)
  })

  test('of a route takes ranges too', async () => {
    const config: Config = { routes: { '/a': { throttle: { limit: '1/1m', exempt: ['10.0.0.0/8'] } } } }
    const ask = { peer: '10.1.2.3', path: '/a' }
    assert.deepEqual(await statuses(config, [ask, ask, { path: '/a' }, { path: '/a' }]), [200, 200, 200, 429])
  })

  test('is not accepted where it could have no effect', async () => {
    for (const exempt of ['alice', '10.0.0.1/8'])
      await assert.rejects(
        statuses({ limits: { address: { limit: '1/1m', exempt: [exempt] } } }, []),
        /limits\.address\.exempt.*is not an address or range/s,
      )
  })
})

describe('the key of a limit', () => {
  test('may be several: each combination counts by itself', async () => {
    const config: Config = {
      limits: {
        graphql: { limit: '1/1m', key: ['address', { body: 'operationName' }], routes: ['POST /graphql'] },
      },
    }
    const ask = (operationName: string, peer?: string): Ask => ({
      path: '/graphql',
      body: { operationName },
      ...(peer !== undefined && { peer }),
    })
    assert.deepEqual(
      await statuses(config, [ask('Login'), ask('Cart'), ask('Login'), ask('Login', '192.0.2.2')]),
      [200, 200, 429, 200],
    )
  })

  test('may be an asynchronous function', async () => {
    const config: Config = {
      limits: {
        shop: {
          limit: '1/1m',
          key: async exchange => (await Promise.resolve(exchange.path.canonical)).slice(0, 2),
        },
      },
    }
    assert.deepEqual(
      await statuses(config, [{ path: '/a' }, { path: '/b' }, { path: '/a' }]),
      [200, 200, 429],
    )
  })

  test('may have a plan of its own, asked once and remembered', async () => {
    let asked = 0
    const plan = async (key: string): Promise<string | undefined> => {
      asked++
      return key === '192.0.2.7' ? '3/1m' : undefined
    }
    const config: Config = { limits: { address: { limit: '2/1m', plan } } }
    const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    const ask = { peer: '192.0.2.7' }
    assert.deepEqual(await statuses(config, [ask, ask, ask, ask], settled), [200, 200, 200, 429])
    assert.equal(asked, 1)
    assert.deepEqual(await statuses(config, [{}, {}, {}], settled), [200, 200, 429])
  })
})

describe('mode of a route', () => {
  const attack = "?q=1'%20UNION%20SELECT%20password%20FROM%20users--"
  test('observes one route while the rest enforces, for the path as the pattern writes it', async () => {
    assert.deepEqual(
      await statuses({ routes: { '/search': { mode: 'observe' } } }, [
        { path: `/search${attack}` },
        { path: `/SEARCH${attack}` },
        { path: `/${attack}` },
      ]),
      [200, 403, 403],
    )
  })
  test('enforces one route while the rest observes', async () => {
    assert.deepEqual(
      await statuses({ mode: 'observe', routes: { '/search': { mode: 'enforce' } } }, [
        { path: `/search${attack}` },
        { path: `/${attack}` },
      ]),
      [403, 200],
    )
  })
})
