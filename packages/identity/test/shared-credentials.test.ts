import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Clock, CredentialError, type Principal } from '@postern/core'
import { connectPostgres, connectRedis, openSqlite } from '@postern/store'
import { freshDatabase, services } from '../../../test/services.ts'
import { ApiKeys } from '../src/api-key/api-keys.ts'
import { KEY_USES, KeyLimits } from '../src/api-key/key-limits.ts'
import { jwtMethod } from '../src/index.ts'
import { sharedRecords } from '../src/records/shared-records.ts'
import { type IdentityPlaces, usedProofs } from '../src/stores-entry.ts'
import { thumbprintOf } from '../src/verify/dpop.ts'
import { credentialOf, dpopProofs, localKeySet } from '../src/verify-entry.ts'
import { address, oneDatabase, STORES, testSecret, VirtualClock } from './support.ts'
import { athOf, clock, dpopProof, exchangeOf, signer, token } from './verify-harness.ts'

const HERE = address('192.0.2.7')
const client = signer('client')
const issuer = signer('k1')
const seconds = (): number => Math.floor(clock.now() / 1_000)
const access = (more: object = {}): string =>
  token(issuer, { iss: 'https://id.example', aud: 'shop', sub: 'alice', exp: seconds() + 60, ...more })
const bound = (): string => access({ cnf: { jkt: thumbprintOf(client.jwk) } })
const proofFor = (text: string, htu: string): string =>
  dpopProof(client, { jti: `${Math.random()}`, htm: 'GET', htu, iat: seconds(), ath: athOf(text) })
const options = {
  issuer: 'https://id.example',
  audience: 'shop',
  keys: localKeySet({ keys: [issuer.jwk] }),
  clock,
}

const PLACES: Readonly<
  Record<string, (t: TestContext) => Promise<readonly [IdentityPlaces, IdentityPlaces]>>
> = {
  SQLite: async t => {
    const sqlite = openSqlite({ path: ':memory:' })
    t.after(() => sqlite.close())
    return [{ sqlite }, { sqlite }]
  },
  PostgreSQL: async t => {
    const url = await freshDatabase(t)
    const open = (): IdentityPlaces => {
      const postgres = connectPostgres({ url, max: 2 })
      t.after(() => postgres.close())
      return { postgres }
    }
    return [open(), open()]
  },
  Redis: async t => {
    const { redis: url } = await services()
    const open = (): IdentityPlaces => {
      const redis = connectRedis({ url })
      t.after(() => redis.disconnect())
      return { redis }
    }
    return [open(), open()]
  },
}

describe('proofs of possession over several processes', () => {
  for (const [name, places] of Object.entries(PLACES))
    test(`attack in ${name}: a proof that one process took is sent to another`, async t => {
      const [one, two] = (await places(t)).map(place =>
        jwtMethod({ ...options, dpop: dpopProofs({ clock, used: usedProofs(() => place) }) }),
      )
      const text = bound()
      const headers = [
        'authorization',
        `DPoP ${text}`,
        'dpop',
        proofFor(text, 'https://shop.example/api/orders'),
      ]
      const kinds = await Promise.all(
        [one, two, one, two].map(async method => (await method?.identify(exchangeOf({ headers })))?.kind),
      )
      assert.deepEqual(kinds.toSorted(), ['known', 'refused', 'refused', 'refused'])
      const fresh = [
        'authorization',
        `DPoP ${text}`,
        'dpop',
        proofFor(text, 'https://shop.example/api/orders'),
      ]
      assert.equal((await two?.identify(exchangeOf({ headers: fresh })))?.kind, 'known')
    })

  test('attack: a proof for another service is sent with the name of that service as the host', async () => {
    const text = bound()
    const target = 'https://evil.example/api/orders?x=1'
    const sent = (proof: string, to = target): Parameters<typeof exchangeOf>[0] => ({
      target: to,
      headers: ['authorization', `DPoP ${text}`, 'dpop', proof],
    })
    const method = jwtMethod({ ...options, origins: ['https://shop.example', 'https://www.shop.example'] })
    const evil = proofFor(text, 'https://evil.example/api/orders')
    assert.equal((await method.identify(exchangeOf(sent(evil)))).kind, 'refused')
    for (const origin of ['https://shop.example', 'https://www.shop.example'])
      assert.equal(
        // Also behind a proxy that writes its own host.
        (
          await method.identify(
            exchangeOf(sent(proofFor(text, `${origin}/api/orders`), 'http://10.0.0.7/api/orders')),
          )
        ).kind,
        'known',
      )
  })
})

test('attack: a stream that a token opened goes on when the token has ended, or its key is withdrawn', async () => {
  const text = access()
  const published = { keys: [issuer.jwk] }
  const method = jwtMethod({ ...options, keys: localKeySet(published), cache: 0 })
  const said = await method.identify(exchangeOf({ headers: ['authorization', `Bearer ${text}`] }))
  assert.ok(said.kind === 'known')
  const again = credentialOf(said.principal)?.again
  assert.equal(await again?.(), true)
  clock.advance(91_000)
  assert.equal(await again?.(), false)
})

describe('limits of API keys over several processes', () => {
  const limit = { count: 5, window: 60_000 }

  for (const [name, open] of Object.entries(STORES))
    test(`attack in ${name}: a key sends its limit to each of two processes, and many at once`, async t => {
      const database = await open(t)
      const at = new VirtualClock(1_700_000_000_000)
      const make = async (): Promise<KeyLimits> =>
        new KeyLimits(at, await sharedRecords(database, 'key-uses', KEY_USES, at))
      const processes = [await make(), await make()]
      const uses = Array.from({ length: 80 }, (_, i) => processes[i % 2]?.take('key', limit))
      const waits = await Promise.all(uses)
      assert.equal(waits.filter(wait => wait === 0).length, 5)
      assert.equal(waits.filter(wait => wait === 12).length, 75)
    })

  test('an instance whose clock is ahead does not fill the bucket at every turn', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const now = new VirtualClock(1_700_000_000_000)
    const ahead = new VirtualClock(1_700_003_600_000)
    const make = async (own: Clock): Promise<KeyLimits> =>
      new KeyLimits(own, await sharedRecords(database, 'key-uses', KEY_USES, now))
    const processes = [await make(now), await make(ahead)]
    let taken = 0
    for (let i = 0; i < 40; i++) if ((await processes[i % 2]?.take('key', limit)) === 0) taken++
    assert.ok(taken <= 10, `${taken} uses`)
  })

  test('a key is checked against the shared count', async t => {
    const sqlite = openSqlite({ path: ':memory:' })
    t.after(() => sqlite.close())
    const database = await oneDatabase(t)
    const make = async (): Promise<ApiKeys> =>
      new ApiKeys({
        database,
        secret: testSecret(),
        clock,
        uses: await sharedRecords(sqlite, 'key-uses', KEY_USES, clock),
      })
    const [one, two] = [await make(), await make()]
    const owner: Principal = { kind: 'user', id: 'alice' }
    const { text } = await one.create(owner, { name: 'deploy', limit: { count: 1, window: '1m' } })
    assert.equal((await one.check(text, HERE)).kind, 'accepted')
    assert.equal((await two.check(text, HERE)).kind, 'limited')
  })
})

test('attack: a token of the owner with fewer scopes rotates a key to read its new text', async t => {
  const keys = new ApiKeys({ database: await oneDatabase(t), secret: testSecret(), clock })
  const owner: Principal = { kind: 'user', id: 'alice' }
  const { key } = await keys.create(owner, { name: 'deploy', scopes: ['orders:write', 'orders:read'] })
  await assert.rejects(keys.rotate(key.id, { ...owner, scopes: ['orders:read'] }), CredentialError)
  const narrow = await keys.create(owner, { name: 'read', scopes: ['orders:read'] })
  assert.ok((await keys.rotate(narrow.key.id, { ...owner, scopes: ['orders:read'] })).text)
  assert.ok((await keys.rotate(key.id, owner)).text)
})
