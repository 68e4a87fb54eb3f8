import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
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
})
