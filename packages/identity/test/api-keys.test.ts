import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CredentialError, type Event, type Principal } from '@postern/core'
import { ApiKeys } from '../src/api-key/api-keys.ts'
import { composeKey, parseKey } from '../src/api-key/key-text.ts'
import { takeLeakReport } from '../src/api-key/leak-report.ts'
import { address, DATABASES, oneDatabase, seededRandom, testSecret, VirtualClock } from './support.ts'

const ALICE: Principal = { kind: 'user', id: 'alice', tenant: 'acme' }
const BOB: Principal = { kind: 'user', id: 'bob' }
const HERE = address('192.0.2.7')

describe('the text of an API key', () => {
  test('is prefix_env_id_secret_crc, and parses back', () => {
    const { text, id } = composeKey('shop', 'live', seededRandom())
    assert.match(text, /^shop_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/)
    assert.deepEqual(parseKey(text), { prefix: 'shop', environment: 'live', id })
  })

  test('with one changed character is not a key at all', () => {
    const { text } = composeKey('shop', 'live', seededRandom())
    for (let i = 0; i < text.length; i++) {
      const other = text.charAt(i) === 'a' ? 'b' : 'a'
      assert.equal(parseKey(text.slice(0, i) + other + text.slice(i + 1)), undefined, `at ${i}`)
    }
    assert.equal(parseKey(`${text}\n`), undefined)
    assert.equal(parseKey(` ${text}`), undefined)
  })
})

for (const [name, databases] of Object.entries(DATABASES)) {
  describe(`API keys in ${name}`, () => {
    test('a key made on one node is accepted on another, and a revocation there holds here at once', async t => {
      const make = await databases(t)
      const clock = new VirtualClock()
      const one = new ApiKeys({ database: await make(), secret: testSecret(), prefix: 'shop', clock })
      const two = new ApiKeys({ database: await make(), secret: testSecret(), prefix: 'shop', clock })
      const { text, key } = await one.create(ALICE, { name: 'deploy', scopes: ['orders:read'] })
      const check = await two.check(text, HERE)
      assert.deepEqual(check.kind === 'accepted' && check.principal, {
        kind: 'apiKey',
        id: key.id,
        tenant: 'acme',
        scopes: ['orders:read'],
        actor: 'user:alice',
        amr: ['swk'],
      })
      assert.equal(await two.revoke(key.id, ALICE), true)
      assert.deepEqual(await one.check(text, HERE), { kind: 'refused', why: 'invalid' })
      assert.equal(await one.revoke(key.id, ALICE), false)
    })

    test('a key of a service remembers who made it, and a rotated one who rotated it', async t => {
      const make = await databases(t)
      const keys = new ApiKeys({ database: await make(), secret: testSecret(), clock: new VirtualClock() })
      const issuerOf = async (text: string): Promise<string | undefined> => {
        const check = await keys.check(text, HERE)
        return check.kind === 'accepted' ? check.principal.issuedBy : 'refused'
      }
      const billing: Principal = { kind: 'service', id: 'billing' }
      const { text, key } = await keys.create(billing, { name: 'billing', createdBy: 'user:ann' })
      assert.equal(await issuerOf(text), 'user:ann')
      const next = await keys.rotate(key.id, 'operator', '1h', 'user:bob')
      assert.equal(await issuerOf(next.text), 'user:bob')
      assert.equal(await issuerOf((await keys.rotate(next.key.id, billing)).text), 'user:bob')
      assert.equal(await issuerOf((await keys.create(ALICE, { name: 'own' })).text), undefined)
    })

    test('attack: many keys made at once are no more than an owner may have', async t => {
      const make = await databases(t)
      const shared = { secret: testSecret(), perOwner: 3, clock: new VirtualClock() }
      const nodes = [
        new ApiKeys({ ...shared, database: await make() }),
        new ApiKeys({ ...shared, database: await make() }),
      ]
      const made = await Promise.allSettled(
        Array.from({ length: 12 }, (_, i) => nodes[i % 2]?.create(ALICE, { name: `key ${i}` })),
      )
      const given = made.filter(({ status }) => status === 'fulfilled').length
      const live = (await nodes[0]?.list(ALICE))?.filter(key => key.revokedAt === undefined).length
      assert.ok(given <= 3, `${given} keys were given`)
      assert.equal(live, given)
    })

    test('attack: any number of keys that were revoked or ran out hides no live one', async t => {
      const make = await databases(t)
      const clock = new VirtualClock()
      const keys = new ApiKeys({ database: await make(), secret: testSecret(), clock })
      const { key } = await keys.create(ALICE, { name: 'of a thief' })
      for (let i = 0; i < 1_001; i++) {
        clock.advance(10)
        const other = await keys.create(ALICE, { name: 'n', ...(i % 2 === 0 && { expiresIn: '1ms' }) })
        if (i % 2 === 1) await keys.revoke(other.key.id, ALICE)
      }
      clock.advance(10)
      assert.equal((await keys.list(ALICE))[0]?.id, key.id)
      assert.equal((await keys.listAll())[0]?.id, key.id)
      assert.equal((await keys.listAll(5)).length, 5)
    })

    test('attack: keys that are rotated over and over are no more than twice what an owner may make', async t => {
      const make = await databases(t)
      const keys = new ApiKeys({
        database: await make(),
        secret: testSecret(),
        perOwner: 3,
        clock: new VirtualClock(),
      })
      let { key } = await keys.create(ALICE, { name: 'deploy' })
      for (let i = 0; i < 5; i++) key = (await keys.rotate(key.id, ALICE)).key
      await assert.rejects(keys.rotate(key.id, ALICE), { code: 'POSTERN_CONFIG' })
      assert.equal((await keys.list(ALICE)).length, 6)
      // An operator still can, and a key that is put away makes room.
      key = (await keys.rotate(key.id, 'operator')).key
      for (const { id } of (await keys.list(ALICE)).filter(({ replacedBy }) => replacedBy !== undefined))
        await keys.revoke(id, ALICE)
      await keys.rotate(key.id, ALICE)
    })

    test('attack: keys that are rotated at once are no more than that either', async t => {
      const make = await databases(t)
      const keys = new ApiKeys({ database: await make(), secret: testSecret(), perOwner: 6 })
      const made = await Promise.all(
        Array.from({ length: 6 }, (_, i) => keys.create(ALICE, { name: `key ${i}` })),
      )
      for (const { key } of made.slice(0, 3)) await keys.rotate(key.id, ALICE)
      const open = (await keys.list(ALICE)).filter(({ replacedBy }) => replacedBy === undefined)
      await Promise.allSettled(open.map(({ id }) => keys.rotate(id, ALICE)))
      const live = (await keys.list(ALICE)).filter(({ revokedAt }) => revokedAt === undefined).length
      assert.ok(live <= 12, `${live} keys are live`)
    })

    test('rotation keeps the old key for the overlap, and of two rotations at once one wins', async t => {
      const make = await databases(t)
      const clock = new VirtualClock()
      const one = new ApiKeys({ database: await make(), secret: testSecret(), clock })
      const two = new ApiKeys({ database: await make(), secret: testSecret(), clock })
      const { text, key } = await one.create(ALICE, {
        name: 'deploy',
        scopes: ['a', 'b'],
        networks: ['192.0.2.0/24'],
      })
      const results = await Promise.allSettled([
        one.rotate(key.id, ALICE, '1h'),
        two.rotate(key.id, ALICE, '1h'),
      ])
      const won = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      assert.equal(won.length, 1)
      assert.deepEqual(won[0]?.key.scopes, ['a', 'b'])
      assert.equal((await one.check(text, HERE)).kind, 'accepted')
      assert.equal((await one.check(won[0]?.text ?? '', HERE)).kind, 'accepted')
      clock.advance(3_600_001)
      assert.equal((await one.check(text, HERE)).kind, 'refused')
      assert.equal((await one.check(won[0]?.text ?? '', HERE)).kind, 'accepted')
      const live = (await one.list(ALICE)).filter(
        known => known.revokedAt === undefined && (known.expiresAt ?? Number.POSITIVE_INFINITY) > clock.now(),
      )
      assert.equal(live.length, 1)
    })
  })
}

describe('an API key', () => {
  test('is stored as an HMAC only', async t => {
    const database = await oneDatabase(t)
    const keys = new ApiKeys({ database, secret: testSecret() })
    const { text } = await keys.create(ALICE, { name: 'deploy' })
    const rows = await database.rows('SELECT * FROM api_key', [])
    assert.ok(!JSON.stringify(rows).includes(text.split('_')[3] ?? 'none'))
  })

  test('under another pepper is refused', async t => {
    const database = await oneDatabase(t)
    const { text } = await new ApiKeys({ database, secret: testSecret() }).create(ALICE, { name: 'deploy' })
    const { IdentitySecret } = await import('../src/database/identity-secret.ts')
    const other = new ApiKeys({
      database,
      secret: new IdentitySecret('another secret of more than 32 bytes'),
    })
    assert.equal((await other.check(text, HERE)).kind, 'refused')
  })

  test('with a guessed secret and a right checksum is refused', async t => {
    const database = await oneDatabase(t)
    const keys = new ApiKeys({ database, secret: testSecret(), prefix: 'shop' })
    const { key } = await keys.create(ALICE, { name: 'deploy' })
    for (let i = 0; i < 50; i++) {
      const guess = composeKey('shop', 'live', seededRandom(`guess ${i}`)).text
      const forged = guess.replace(/_[0-9A-Za-z]{12}_/, `_${key.id}_`)
      assert.equal((await keys.check(forged, HERE)).kind, 'refused')
      assert.equal((await keys.check(guess, HERE)).kind, 'refused')
    }
  })

  test('expires, is bound to its networks, and has a limit of its own', async t => {
    const clock = new VirtualClock()
    const keys = new ApiKeys({ database: await oneDatabase(t), secret: testSecret(), clock })
    const { text } = await keys.create(ALICE, {
      name: 'deploy',
      networks: ['192.0.2.0/28'],
      limit: { count: 2, window: '10s' },
      expiresIn: '1h',
    })
    assert.deepEqual(await keys.check(text, address('198.51.100.1')), { kind: 'refused', why: 'network' })
    assert.equal((await keys.check(text, HERE)).kind, 'accepted')
    assert.equal((await keys.check(text, HERE)).kind, 'accepted')
    assert.deepEqual(await keys.check(text, HERE), { kind: 'limited', retryAfter: 5 })
    clock.advance(5_000)
    assert.equal((await keys.check(text, HERE)).kind, 'accepted')
    clock.advance(3_600_000)
    assert.deepEqual(await keys.check(text, HERE), { kind: 'refused', why: 'invalid' })
  })

  test('remembers when it was last used, written at most once a minute', async t => {
    const clock = new VirtualClock()
    const start = clock.now()
    const keys = new ApiKeys({ database: await oneDatabase(t), secret: testSecret(), clock })
    const { text } = await keys.create(ALICE, { name: 'deploy' })
    await keys.check(text, HERE)
    clock.advance(30_000)
    await keys.check(text, HERE)
    assert.equal((await keys.list(ALICE))[0]?.usedAt, start)
    clock.advance(31_000)
    await keys.check(text, HERE)
    assert.equal((await keys.list(ALICE))[0]?.usedAt, start + 61_000)
  })

  test('that somebody found in public is revoked by reporting it, and the event says where', async t => {
    const events: Event[] = []
    const keys = new ApiKeys({
      database: await oneDatabase(t),
      secret: testSecret(),
      emit: event => void events.push(event),
    })
    const { text, key } = await keys.create(ALICE, { name: 'deploy' })
    const verdicts = await takeLeakReport(
      [
        { token: text, type: 'shop_key', url: 'https://git.example/commit/1' },
        { token: text.replace(/.$/, '!'), type: 'shop_key', url: '' },
      ],
      keys,
    )
    assert.deepEqual(
      verdicts?.map(({ label }) => label),
      ['true_positive', 'false_positive'],
    )
    assert.equal((await keys.check(text, HERE)).kind, 'refused')
    const leaked = events.find(({ type }) => type === 'key.leaked')
    assert.deepEqual(leaked?.data, {
      key: key.id,
      environment: 'live',
      where: 'https://git.example/commit/1',
    })
    assert.ok(!JSON.stringify(events).includes(text))
    assert.equal(await takeLeakReport({ token: text }, keys), undefined)
    assert.equal(
      await takeLeakReport(
        Array.from({ length: 101 }, () => ({ token: text })),
        keys,
      ),
      undefined,
    )
  })

  test('cannot be seen, rotated or revoked by somebody else', async t => {
    const keys = new ApiKeys({ database: await oneDatabase(t), secret: testSecret() })
    const { text, key } = await keys.create(ALICE, { name: 'deploy' })
    assert.deepEqual(await keys.list(BOB), [])
    assert.equal(await keys.revoke(key.id, BOB), false)
    await assert.rejects(keys.rotate(key.id, BOB), CredentialError)
    await assert.rejects(keys.rotate(key.id, { kind: 'anonymous', id: '' }), CredentialError)
    assert.equal((await keys.check(text, HERE)).kind, 'accepted')
  })

  test('cannot make further keys, nor can an impersonator, nor can scopes grow', async t => {
    const keys = new ApiKeys({ database: await oneDatabase(t), secret: testSecret() })
    const { text } = await keys.create(ALICE, { name: 'deploy' })
    const check = await keys.check(text, HERE)
    assert.ok(check.kind === 'accepted')
    await assert.rejects(keys.create(check.principal, { name: 'child' }), CredentialError)
    await assert.rejects(keys.create({ ...ALICE, actor: 'user:support' }, { name: 'mine' }), CredentialError)
    await assert.rejects(keys.create({ kind: 'anonymous', id: '' }, { name: 'mine' }), CredentialError)
    await assert.rejects(
      keys.create({ ...ALICE, scopes: ['read'] }, { name: 'mine', scopes: ['write'] }),
      CredentialError,
    )
  })
})
