import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { connectPostgres, openSqlite, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { OneTimeTokens } from '../src/account/one-time-tokens.ts'
import { identityDatabase } from '../src/database/identity-database.ts'
import { migrateIdentity } from '../src/database/identity-migrations.sql.ts'
import { PasskeyChallenges } from '../src/passkey/passkey-challenges.ts'
import { freePort, PlainBrowser, type Site, signUp, startSite } from './site.ts'
import { SoftPasskey } from './soft-passkey.ts'
import { VirtualClock } from './support.ts'

const DAY = 86_400_000

/** Two instances of one site over one PostgreSQL, and a passkey of an account there. */
async function pair(t: TestContext) {
  const url = await freshDatabase(t)
  const connect = (): PostgresDatabase => {
    const database = connectPostgres({ url, max: 8 })
    t.after(() => database.close())
    return database
  }
  const database = connect()
  const one = await startSite(t, { database })
  const port = await freePort()
  const two = await startSite(t, { database: connect(), port, origin: one.origin })
  const passkey = new SoftPasskey(one.origin)
  const alice = await signUp(one, 'alice@shop.example')
  const asked = JSON.parse((await alice.postJson('/.postern/passkey/register-options', {})).text)
  assert.equal((await alice.postJson('/.postern/passkey/register', passkey.create(asked))).status, 200)
  return { database, one, two, passkey, alice }
}

const options = async (browser: PlainBrowser): Promise<{ challenge: string }> =>
  JSON.parse((await browser.postJson('/.postern/passkey/sign-in-options', {})).text)

const signIn = async (browser: PlainBrowser, answer: object): Promise<number> =>
  (await browser.postJson('/.postern/passkey/sign-in', answer)).status

const at = (site: Site): PlainBrowser => new PlainBrowser(`http://localhost:${site.port}`)

describe('challenges of passkeys on two instances with one PostgreSQL', () => {
  test('attack: 30,000 strangers ask for one, and who asked before them signs in', async t => {
    const { database, one, two, passkey } = await pair(t)
    const honest = at(one)
    const asked = await options(honest)
    for (let i = 0; i < 30_000; i++) {
      await one.identity.passkeys.signInOptions()
      // None of them waits for anything, and mails of the sign-up wait for the database.
      if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    const { rows } = await database.query<{ kind: string }>(
      'SELECT kind FROM one_time WHERE account_id IS NULL',
    )
    assert.deepEqual(rows, [])
    assert.equal(await signIn(at(two), passkey.get(asked)), 200)
  })

  test('attack: one answer is sent to both at once, and signs in once', async t => {
    const { one, two, passkey } = await pair(t)
    for (let round = 0; round < 5; round++) {
      const answer = passkey.get(await options(at(one)))
      const statuses = await Promise.all([one, two, one, two].map(site => signIn(at(site), answer)))
      assert.deepEqual(statuses.toSorted(), [200, 401, 401, 401])
      assert.equal(await signIn(at(two), answer), 401)
    }
  })

  test('attack: the same challenge in another spelling, or for another purpose, signs nobody in', async t => {
    const { one, passkey, alice } = await pair(t)
    const asked = await options(at(one))
    assert.equal(await signIn(at(one), passkey.get(asked)), 200)
    for (const challenge of [`${asked.challenge}=`, ` ${asked.challenge}`, asked.challenge.replace(/.$/, '')])
      assert.equal(await signIn(at(one), passkey.get({ challenge })), 401)
    for (const use of ['register', 'prove']) {
      const { challenge } = JSON.parse((await alice.postJson(`/.postern/passkey/${use}-options`, {})).text)
      assert.equal(await signIn(at(one), passkey.get({ challenge })), 401, use)
    }
    const prove = await alice.postJson('/.postern/passkey/prove', passkey.get(await options(at(one))))
    assert.equal(prove.status, 401)
  })
})

describe('keys that sign challenges', () => {
  async function instances() {
    const database = openSqlite({ path: ':memory:' })
    await migrateIdentity(database)
    const clock = new VirtualClock()
    const tokens = new OneTimeTokens({ database: identityDatabase(database), clock })
    let asked = 0
    const counted = new Proxy(database, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          asked++
          return Reflect.apply(value, target, args)
        }
      },
    })
    const open = () => PasskeyChallenges.open(counted, { tokens, clock })
    return { clock, one: await open(), two: await open(), open, statements: () => asked }
  }

  test('are replaced daily, and an instance that has not seen the new one takes its challenges', async () => {
    const { clock, one, two } = await instances()
    const first = await one.issue('a use')
    assert.ok(await two.find('a use', first))
    clock.advance(DAY - 60_000)
    const before = await two.issue('a use')
    clock.advance(60_000)
    const after = await one.issue('a use')
    assert.ok(await two.find('a use', after), 'the key of the other instance')
    assert.ok(await one.find('a use', before), 'the key before it')
    assert.ok(await two.find('a use', before))
  })

  test('attack: made-up challenges do not make an instance ask the database each time', async () => {
    const { clock, one, statements } = await instances()
    await one.issue('a use')
    clock.advance(2_000)
    const before = statements()
    const madeUp = Buffer.alloc(54)
    madeUp.writeUIntBE(clock.now(), 0, 6)
    for (let i = 0; i < 100; i++)
      assert.equal(await one.find('a use', madeUp.toString('base64url')), undefined)
    assert.ok(statements() - before < 10, `${statements() - before} statements`)
  })

  test('outlive a restart', async () => {
    const { one, open } = await instances()
    assert.ok(await (await open()).find('a use', await one.issue('a use')))
  })

  test('sign for five minutes, for one purpose, and nothing that was changed', async () => {
    const { clock, one, two } = await instances()
    const challenge = await one.issue('a use')
    assert.equal(await two.find('another use', challenge), undefined)
    for (let i = 0; i < 54; i++) {
      const bytes = Buffer.from(challenge, 'base64url')
      bytes[i] = (bytes[i] ?? 0) ^ 1
      assert.equal(await two.find('a use', bytes.toString('base64url')), undefined, `byte ${i}`)
    }
    clock.advance(299_999)
    assert.ok(await two.find('a use', challenge))
    clock.advance(1)
    assert.equal(await two.find('a use', challenge), undefined)
  })
})
