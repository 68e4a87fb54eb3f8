import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CredentialError } from '@postern/core'
import bcrypt from 'bcryptjs'
import { Accounts } from '../src/account/accounts.ts'
import { type Email, parseEmail } from '../src/account/email.ts'
import { importAccounts } from '../src/account/import-accounts.ts'
import { OneTimeTokens } from '../src/account/one-time-tokens.ts'
import { Organisations } from '../src/account/organisations.ts'
import { tokenHash } from '../src/database/identity-secret.ts'
import { OauthStore, revokeGrants } from '../src/oauth/store/oauth-store.ts'
import { DATABASES, testSecret, VirtualClock } from './support.ts'

function email(text: string): Email {
  const parsed = parseEmail(text)
  assert.ok(parsed)
  return parsed
}

for (const [name, databases] of Object.entries(DATABASES)) {
  describe(`accounts in ${name}`, () => {
    test('an address has one account, also when two are made at once, and a change is made to the account as it was read', async t => {
      const make = await databases(t)
      const [one, two] = [new Accounts({ database: await make() }), new Accounts({ database: await make() })]
      const wish = { email: email('alice@shop.example'), emailVerified: 'yes' } as const
      const made = (await Promise.all([one.create(wish), two.create(wish)])).filter(
        account => account !== undefined,
      )
      assert.equal(made.length, 1)
      const alice = made[0] ?? assert.fail()
      await one.create({ ...wish, email: email('bob@shop.example') })
      assert.equal(await two.setEmail(alice, email('bob@shop.example')), false)
      assert.equal(await two.setEmail(alice, email('new@shop.example')), true)
      assert.equal(await one.setEmail(alice, email('other@shop.example')), false)
      const names = [alice.id, 'alice@shop.example', 'new@shop.example'].sort()
      for (const name of [...names, 'NEW@shop.example'])
        assert.deepEqual([...(await one.namesOf(name))].sort(), names, name)
      assert.deepEqual(await two.formerEmails(alice.id), ['alice@shop.example'])
      assert.equal((await one.byId(alice.id))?.email, 'new@shop.example')
      assert.equal(await one.remove(alice.id), true)
      assert.deepEqual(await two.namesOf('alice@shop.example'), [])
    })

    test('attack: a name that no database can store, or that would write to a terminal, makes an account all the same', async t => {
      const accounts = new Accounts({ database: await (await databases(t))() })
      const wish = {
        email: email('ann@shop.example'),
        emailVerified: 'yes',
        name: '\0A\u001b[2Jnn\r\n\ud83d',
      } as const
      const made = await accounts.create(wish)
      assert.equal(made?.name, 'A[2Jnn\ufffd')
      assert.equal((await accounts.byId(made.id))?.name, made.name)
    })

    test('are found by a part of address, name or id, whatever is typed', async t => {
      const accounts = new Accounts({ database: await (await databases(t))() })
      const make = async (address: string, name: string): Promise<string> => {
        const made = await accounts.create({ email: email(address), emailVerified: 'yes', name })
        return made?.id ?? ''
      }
      const ann = await make('ann_lee@shop.example', '\u00c9lodie 100% M\u00fcller')
      await make('annalee@shop.example', "O'Neil")
      const found = async (text: string, limit?: number): Promise<readonly string[]> =>
        (await accounts.search(text, limit)).map(one => one.email.split('@')[0] ?? '').sort()
      const both = ['ann_lee', 'annalee']
      for (const [text, names] of [
        ['SHOP', both],
        ['ann_', ['ann_lee']],
        ['100%', ['ann_lee']],
        ['m\u00fcller', ['ann_lee']],
        ['\u00c9lodie', ['ann_lee']],
        ["o'neil", ['annalee']],
        [ann.slice(2, 12), ['ann_lee']],
        ['%', ['ann_lee']],
        ["' OR ''='", []],
        ['!', []],
        ['\\', []],
        ['\0shop\ud800', []],
        ['nobody', []],
      ] as const)
        assert.deepEqual(await found(text), names, text)
      assert.equal((await found('shop', 1)).length, 1)
    })

    test('are imported from CSV, with the mistakes named by line and nothing else', async t => {
      const accounts = new Accounts({ database: await (await databases(t))() })
      const hash = bcrypt.hashSync('correct horse', 4)
      const csv = `email,name,password_hash,email_verified\r\nalice@shop.example,"Smith, ""Al""",${hash},true\r\nnot an address,,,\r\nBOB@shop.example,,,false\nbob@shop.example,,,\ncarol@shop.example,,md5:abc,\ndan@shop.example,x\n`
      const report = await importAccounts(csv, accounts)
      assert.deepEqual({ created: report.created, existing: report.existing }, { created: 2, existing: 1 })
      assert.deepEqual(
        report.faults.map(({ line }) => line),
        [3, 6, 7],
      )
      assert.ok(!JSON.stringify(report).includes('md5'))
      const alice = await accounts.byEmail(email('alice@shop.example'))
      assert.equal(alice?.name, 'Smith, "Al"')
      assert.equal(alice?.hasPassword, true)
      assert.equal((await importAccounts('mail,name\nx,y', accounts)).faults[0]?.line, 1)
    })

    test('an organisation keeps its last owner, and only owners change it', async t => {
      const database = await (await databases(t))()
      const accounts = new Accounts({ database })
      const organisations = new Organisations({ database, tokens: new OneTimeTokens({ database }) })
      const alice = await accounts.create({ email: email('alice@shop.example'), emailVerified: 'yes' })
      const bob = await accounts.create({ email: email('bob@shop.example'), emailVerified: 'yes' })
      assert.ok(alice && bob)
      const { id } = await organisations.create(alice, 'Acme')
      const token = await organisations.invite(alice, id, email('bob@shop.example'), ['editor'])
      assert.deepEqual((await organisations.accept(bob, token))?.roles, ['editor'])
      assert.equal(await organisations.accept(bob, token), undefined)
      await assert.rejects(organisations.setRoles(bob, id, bob.id, ['owner']), CredentialError)
      await assert.rejects(organisations.remove(bob, id, alice.id), CredentialError)
      assert.equal(await organisations.remove(alice, id, alice.id), false)
      assert.equal(await organisations.setRoles(alice, id, alice.id, []), false)
      assert.equal(await organisations.setRoles(alice, id, bob.id, ['owner']), true)
      assert.equal(await organisations.remove(alice, id, alice.id), true)
      assert.deepEqual(
        (await organisations.members(id)).map(({ accountId }) => accountId),
        [bob.id],
      )
    })

    test('a one-time token is redeemed once among many nodes, of its kind, in its time', async t => {
      const make = await databases(t)
      const clock = new VirtualClock()
      const nodes = await Promise.all(
        [1, 2, 3].map(async () => new OneTimeTokens({ database: await make(), clock })),
      )
      const token = (await nodes[0]?.issue('sign-up', undefined, { email: 'x' }, 60_000)) ?? ''
      assert.equal(await nodes[0]?.redeem('reset', token), undefined)
      const tries = await Promise.all([...nodes, ...nodes].map(node => node.redeem('sign-up', token)))
      assert.equal(tries.filter(found => found !== undefined).length, 1)
      const late = (await nodes[0]?.issue('reset', undefined, {}, 60_000)) ?? ''
      clock.advance(60_001)
      assert.equal(await nodes[1]?.redeem('reset', late), undefined)
    })
  })

  describe(`one-time tokens in ${name}`, () => {
    test('of strangers are bounded by kind: the oldest go, and those of accounts stay', async t => {
      const database = await (await databases(t))()
      const clock = new VirtualClock()
      const tokens = new OneTimeTokens({ database, clock })
      const accounts = new Accounts({ database, clock })
      const alice = await accounts.create({ email: email('alice@shop.example'), emailVerified: 'yes' })
      const reset = await tokens.issue('reset', alice?.id, {}, 1_000)
      const other = await tokens.issue('invitation', undefined, {}, 1_000)
      const first = await tokens.issue('sign-up', undefined, {}, 1_000)
      const later = clock.now() + 60_000
      const flood = `INSERT INTO one_time (hash, kind, account_id, data, tries, expires_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
        SELECT 'stranger ' || i, 'sign-up', NULL, '{}', 0, ${later} + i FROM n`
      await database.batch([{ text: flood, values: [] }])
      const mine: string[] = []
      for (let i = 0; i < 100; i++) mine.push(await tokens.issue('sign-up', undefined, {}, 600_000))
      const text = `SELECT COUNT(*) AS "count" FROM one_time WHERE kind = 'sign-up'`
      const [row] = await database.rows<{ readonly count: number | string }>(text, [])
      assert.ok(Number(row?.count) <= 20_100, String(row?.count))
      assert.equal(await tokens.find('sign-up', first), undefined)
      for (const token of mine) assert.ok(await tokens.find('sign-up', token))
      assert.ok(await tokens.find('reset', reset))
      assert.ok(await tokens.find('invitation', other), 'of another kind')
    })
  })

  describe(`the OAuth store in ${name}`, () => {
    test('consumes once among many nodes, and who comes second ends the grant', async t => {
      const make = await databases(t)
      const parts = async () => ({ database: await make(), secret: testSecret(), clock: new VirtualClock() })
      const replayed = (): Error => new Error('replayed')
      const stores = [new OauthStore(await parts(), replayed), new OauthStore(await parts(), replayed)]
      const code = stores[0]?.adapter('AuthorizationCode')
      await stores[0]?.adapter('Grant').upsert('grant', { accountId: 'alice' }, 600)
      await code?.upsert('code', { grantId: 'grant', accountId: 'alice' }, 60)
      await stores[1]?.adapter('AccessToken').upsert('token', { grantId: 'grant', accountId: 'alice' }, 60)
      assert.equal((await stores[1]?.adapter('AuthorizationCode').find('code'))?.grantId, 'grant')
      const tries = await Promise.allSettled(
        stores.map(store => store.adapter('AuthorizationCode').consume('code')),
      )
      assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      assert.equal(await stores[0]?.adapter('AccessToken').find('token'), undefined)
      assert.equal(await stores[0]?.adapter('Grant').find('grant'), undefined)
    })

    test('forgets what ran out, finds by user code and uid, and revokes by account', async t => {
      const clock = new VirtualClock()
      const database = await (await databases(t))()
      const store = new OauthStore({ database, secret: testSecret(), clock }, () => new Error('replayed'))
      await store.adapter('DeviceCode').upsert('device', { userCode: 'BCDFGHJK', grantId: 'g' }, 60)
      await store.adapter('Session').upsert('session', { uid: 'uid', accountId: 'alice' }, 600)
      assert.ok(await store.adapter('DeviceCode').findByUserCode('BCDFGHJK'))
      assert.ok(await store.adapter('Session').findByUid('uid'))
      clock.advance(60_001)
      assert.equal(await store.adapter('DeviceCode').findByUserCode('BCDFGHJK'), undefined)
      await revokeGrants(database, 'alice')
      assert.equal(await store.adapter('Session').find('session'), undefined)
    })

    test('a proof or an assertion is used once among many nodes, also at the same moment, until it ends', async t => {
      const make = await databases(t)
      const clock = new VirtualClock()
      const parts = async () => ({ database: await make(), secret: testSecret(), clock })
      const refusal = (why: string): Error => new Error(why)
      const adapters = [
        new OauthStore(await parts(), refusal).adapter('ReplayDetection'),
        new OauthStore(await parts(), refusal).adapter('ReplayDetection'),
      ]
      const uses = () => Promise.allSettled(adapters.map(adapter => adapter.upsert('jti', {}, 300)))
      const one = (await uses()).map(({ status }) => status).sort()
      assert.deepEqual(one, ['fulfilled', 'rejected'])
      assert.ok((await uses()).every(({ status }) => status === 'rejected'))
      // A proof that came 300 s ahead of its date holds for so much longer.
      clock.advance(599_000)
      assert.ok((await uses()).every(({ status }) => status === 'rejected'))
      clock.advance(1_000)
      assert.deepEqual((await uses()).map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      await assert.rejects(async () => adapters[0]?.upsert('forever', {}, 3_601), /far/)
    })

    test('one network that makes records by the thousand pushes out no others, and uses up no proofs of theirs', async t => {
      const clock = new VirtualClock()
      const database = await (await databases(t))()
      let network = ''
      const store = new OauthStore(
        { database, secret: testSecret(), clock, network: () => network },
        why => new Error(why),
      )
      const HONEST = ['192.0.2.1', '192.0.2.2', '2001:db8::/56']
      const from = (at: string, model: string, id: string, seconds = 600) => {
        network = at
        return store.adapter(model).upsert(id, {}, seconds)
      }
      // More of what a network has sent already, in one statement.
      const flood = (model: string, rows: number, of: string) =>
        database.batch([
          {
            text: `INSERT INTO oauth_record (model, id, payload, expires_at, network)
              WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
              SELECT model, '${of} ' || i, 'x', expires_at + i, network FROM n, oauth_record WHERE model = $1 AND id = $2`,
            values: [model, tokenHash(of)],
          },
        ])
      for (const [model, most] of [
        ['Interaction', 20_000],
        ['DeviceCode', 20_000],
        ['PushedAuthorizationRequest', 10_000],
      ] as const) {
        for (const at of HONEST) await from(at, model, `honest ${at}`)
        await from('203.0.113.9', model, 'flood')
        await flood(model, most + 5_000, 'flood')
        for (let i = 0; i < 100; i++) await from('203.0.113.9', model, `flood ${i}`)
        for (const at of HONEST)
          assert.ok(await store.adapter(model).find(`honest ${at}`), `${model} of ${at}`)
      }
      const used = 'ReplayDetection'
      await from('203.0.113.9', used, 'flood', 300)
      await flood(used, 10_000, 'flood')
      const tries: unknown[] = []
      for (let i = 0; i < 101; i++)
        tries.push(await from('203.0.113.9', used, `proof ${i}`, 300).catch(String))
      assert.equal(tries.at(-1), 'Error: full')
      await from('192.0.2.1', used, 'proof of somebody else', 300)
      await assert.rejects(from('192.0.2.1', used, 'flood', 300), /replayed/)
      const stored = await database.rows<{ readonly network: string }>(
        'SELECT DISTINCT network FROM oauth_record WHERE model = $1',
        ['Interaction'],
      )
      assert.equal(stored.length, 4)
      assert.ok(
        stored.every(row => !/[.:/]/.test(row.network)),
        'addresses are not stored',
      )
    })

    test('what anybody can make is bounded: the oldest go, what an account has stays, used proofs all stay', async t => {
      const clock = new VirtualClock()
      const database = await (await databases(t))()
      const store = new OauthStore({ database, secret: testSecret(), clock }, why => new Error(why))
      const count = async (model: string): Promise<number> => {
        const text = 'SELECT COUNT(*) AS "count" FROM oauth_record WHERE model = $1'
        const [row] = await database.rows<{ readonly count: number | string }>(text, [model])
        return Number(row?.count)
      }
      // As a flood of strangers made them, each a moment later.
      const flood = (model: string, rows: number, expiresAt: number, name = 'stranger') =>
        database.batch([
          {
            text: `INSERT INTO oauth_record (model, id, payload, expires_at)
              WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
              SELECT '${model}', '${name} ' || i, 'x', ${expiresAt} + i FROM n`,
            values: [],
          },
        ])
      const later = clock.now() + 60_000
      for (const [model, most] of [
        ['Interaction', 20_000],
        ['DeviceCode', 20_000],
        ['PushedAuthorizationRequest', 10_000],
      ] as const) {
        await store.adapter(model).upsert('first', {}, 1)
        await flood(model, most + 5_000, later)
        for (let i = 0; i < 100; i++) await store.adapter(model).upsert(`own ${i}`, {}, 600)
        assert.ok((await count(model)) <= most + 100, model)
        assert.ok(await store.adapter(model).find('own 0'), 'the newest are there')
        assert.equal(await store.adapter(model).find('first'), undefined)
        const long = { params: { state: 's'.repeat(16_384) } }
        await assert.rejects(async () => store.adapter(model).upsert('long', long, 60), /large/)
      }
      await flood('Grant', 25_000, later)
      for (let i = 0; i < 100; i++) await store.adapter('Grant').upsert(`own ${i}`, { accountId: 'a' }, 600)
      assert.equal(await count('Grant'), 25_100)
      const used = store.adapter('ReplayDetection')
      await used.upsert('mine', {}, 300)
      for (let i = 0; i < 20; i++) await flood('ReplayDetection', 10_000, later, `stranger ${i}`)
      const tries = []
      for (let i = 0; i < 101; i++) tries.push(await used.upsert(`own ${i}`, {}, 300).catch(String))
      assert.equal(tries.at(-1), 'Error: full', 'none is forgotten for another')
      await assert.rejects(async () => used.upsert('mine', {}, 300))
      clock.advance(70_000 + 200_000)
      for (let i = 0; i < 100; i++) await used.upsert(`next ${i}`, {}, 300).catch(() => undefined)
      await used.upsert('there is room again', {}, 300)
    })
  })
}
