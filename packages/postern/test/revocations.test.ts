import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import {
  type Exchange,
  type Postern,
  type PosternOptions,
  type Principal,
  postern,
  setPrincipal,
} from '../src/index.ts'

/** `Authorization: ID SIGNED-IN-AT`. */
function principalOf(authorization: string | null | undefined): Principal | undefined {
  const [id, at] = authorization?.split(' ') ?? []
  if (id === undefined) return undefined
  return { kind: 'user', id, ...(at !== undefined && { authenticatedAt: Number(at) }) }
}

async function open(t: TestContext, options: PosternOptions): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-revocations-'))
  const layer = await postern({ folder, ...options })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return layer
}

const request = (authorization: string): Request =>
  new Request('http://shop.example/', { headers: { authorization } })

describe('revocation for an identity of the application', { timeout: 60_000 }, () => {
  test('what was given before is a stranger from the next request on; a later sign-in and others hold', async t => {
    const identify = (exchange: Exchange): Principal | undefined =>
      principalOf(exchange.header('authorization'))
    const layer = await open(t, { identify, config: { routes: { '/**': { require: {} } } } })
    const handle = layer.fetch(() => new Response('handled'), { peer: () => '203.0.113.9' })
    const ask = async (authorization: string): Promise<number> =>
      (await handle(request(authorization))).status
    const before = Date.now() - 1_000
    assert.equal(await ask(`alice ${before}`), 200)
    await layer.revocations?.revokePrincipal('alice')
    assert.equal(await ask(`alice ${before}`), 401)
    assert.equal(await ask('alice'), 401)
    assert.equal(await ask(`bob ${before}`), 200)
    assert.equal(await ask(`alice ${Date.now() + 1_000}`), 200)
  })

  test('setPrincipal refuses who is revoked, and has the browser drop its cookies', async t => {
    const layer = await open(t, { identify: 'application' })
    const handle = layer.fetch(
      async asked => {
        await setPrincipal(asked, principalOf(asked.headers.get('authorization')))
        return new Response('handled')
      },
      { peer: () => '203.0.113.9' },
    )
    const before = Date.now() - 1_000
    assert.equal((await handle(request(`alice ${before}`))).status, 200)
    await layer.revocations?.revokePrincipal('alice')
    const refused = await handle(request(`alice ${before}`))
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('clear-site-data'), '"cookies"')
  })

  for (const [kind, signedIn] of [
    ['an ISO 8601 date', (at: number) => new Date(at).toISOString()],
    ['seconds', (at: number) => at / 1_000],
    ['milliseconds', (at: number) => at],
  ] as const)
    test(`whoever signs in again to the application is known again, where it says when that was, in ${kind}`, async t => {
      const sessions = new Map<string, number>()
      const application = createServer((asked, answer) => {
        const at = sessions.get(/connect\.sid=(\w+)/.exec(asked.headers.cookie ?? '')?.[1] ?? '')
        const user = at === undefined ? {} : { user: { id: 'alice', signedInAt: signedIn(at) } }
        answer.setHeader('content-type', 'application/json').end(JSON.stringify(user))
      }).listen(0, '127.0.0.1')
      await once(application, 'listening')
      t.after(() => application.close())
      const { port } = application.address() as AddressInfo
      const url = `http://127.0.0.1:${port}/api/me`
      const claims = { id: 'user.id', authenticatedAt: 'user.signedInAt' }
      const layer = await open(t, {
        config: {
          identify: [{ sessionUrl: { cookie: 'connect.sid', url, claims } }],
          routes: { '/**': { require: { stepUp: '10m' } } },
        },
      })
      const handle = layer.fetch(() => new Response('handled'), { peer: () => '203.0.113.9' })
      const ask = async (session: string): Promise<number> =>
        (await handle(new Request('http://shop.example/', { headers: { cookie: `connect.sid=${session}` } })))
          .status
      sessions.set('first', Date.now() - 1_000)
      assert.equal(await ask('first'), 200)
      await layer.revocations?.revokePrincipal('alice')
      assert.equal(await ask('first'), 401)
      sessions.set('second', Date.now() + 1_000)
      assert.equal(await ask('second'), 200)
    })
})
