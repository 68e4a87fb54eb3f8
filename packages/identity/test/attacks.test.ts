// Attacks on built-in identity beyond the bug classes of bug-classes.test.ts: each is a way that some sign-in
// system was taken over by, or could be.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { openSqlite } from '@postern/store'
import bcrypt from 'bcryptjs'
import { type Email, parseEmail } from '../src/account/email.ts'
import { tokenHash } from '../src/database/identity-secret.ts'
import { Passwords } from '../src/password/passwords.ts'
import { hotp, totpStep } from '../src/totp/totp.ts'
import { PlainBrowser, type Site, signUp, startSite, whoIs } from './site.ts'
import { SoftPasskey } from './soft-passkey.ts'
import { address, VirtualClock } from './support.ts'

const COOKIE = 'postern-session'
const PASSWORD = 'a quiet river'

/** The application's view of whoever sends this, with these headers and no cookies. */
async function seenAs(
  site: Site,
  headers: Readonly<Record<string, string>>,
  path = '/',
): Promise<number | string> {
  const answer = await fetch(site.origin + path, { headers })
  return answer.status === 200 ? ((await answer.json()) as { kind: string }).kind : answer.status
}

async function tokenMailed(site: Site): Promise<string> {
  return new URL(await site.link()).searchParams.get('token') ?? ''
}

async function keyOf(site: Site, browser: PlainBrowser): Promise<string> {
  const { id, tenant } = await whoIs(browser)
  const owner = { kind: 'user' as const, id, ...(tenant !== undefined && { tenant }) }
  return (await site.identity.apiKeys.create(owner, { name: 'of a test' })).text
}

describe('an attacker who had the account', () => {
  test('has no way back through another provider, an invitation or a key after the owner recovered it', async t => {
    const site = await startSite(t)
    const thief = await signUp(site, 'alice@shop.example')
    const { id } = await whoIs(thief)
    const key = await keyOf(site, thief)
    await site.identity.accounts.linkExternal(id, 'https://evil.example', 'mallory')
    const account = await site.identity.accounts.byId(id)
    assert.ok(account)
    const { id: organisation } = await site.identity.organisations.create(account, 'Shop')
    const email = parseEmail('mallory@evil.example')
    assert.ok(email)
    const invitation = await site.identity.organisations.invite(account, organisation, email, ['owner'])
    const owner = new PlainBrowser(site.origin)
    await owner.post('/.postern/recover', { email: 'alice@shop.example' })
    const fields = { token: await tokenMailed(site), password: 'another quiet river', compromised: 'yes' }
    assert.equal((await owner.post('/.postern/recover/reset', fields)).status, 200)
    assert.deepEqual(await site.identity.accounts.externalLogins(id), [])
    assert.equal(await site.identity.accounts.byExternal('https://evil.example', 'mallory'), undefined)
    assert.equal(await seenAs(site, { 'x-api-key': key }), 401)
    await signUp(site, 'mallory@evil.example')
    const mallory = await site.identity.accounts.byEmail(email)
    assert.ok(mallory)
    assert.equal(await site.identity.organisations.accept(mallory, invitation), undefined)
  })

  test('keeps no session by rotating it while the owner ends all of them', async t => {
    const site = await startSite(t)
    const thief = await signUp(site, 'alice@shop.example')
    const { id } = await whoIs(thief)
    const token = thief.cookies.get(COOKIE) ?? ''
    const session = await site.identity.sessions.find(token, '192.0.2.7')
    assert.ok(session)
    await site.identity.sessions.revokeAll(id)
    assert.equal(await site.identity.sessions.rotate(token, session, ['pwd']), undefined)
    assert.equal((await whoIs(thief)).kind, 'anonymous')
  })

  test('does nothing with API keys of an account that was disabled, and everything comes back with it', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const { id } = await whoIs(browser)
    const key = await keyOf(site, browser)
    assert.equal(await seenAs(site, { 'x-api-key': key }), 'apiKey')
    await site.identity.accounts.disable(id)
    assert.equal(await seenAs(site, { 'x-api-key': key }), 401)
    assert.equal(await seenAs(site, { authorization: `Bearer ${key}` }), 401)
    await site.identity.accounts.enable(id)
    assert.equal(await seenAs(site, { 'x-api-key': key }), 'apiKey')
  })

  test('does nothing with API keys of an account that was deleted', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const key = await keyOf(site, browser)
    await site.identity.deleteAccount((await whoIs(browser)).id)
    assert.equal(await seenAs(site, { 'x-api-key': key }), 401)
    assert.equal((await whoIs(browser)).kind, 'anonymous')
  })

  test('does nothing in an organisation by a key from before they were removed from it', async t => {
    const site = await startSite(t)
    const { accounts, organisations, apiKeys } = site.identity
    await signUp(site, 'alice@shop.example')
    await signUp(site, 'bob@shop.example')
    const [alice, bob] = [
      await accounts.named('alice@shop.example'),
      await accounts.named('bob@shop.example'),
    ]
    assert.ok(alice && bob)
    const { id: tenant } = await organisations.create(alice, 'Shop')
    const email = parseEmail('bob@shop.example')
    assert.ok(email)
    await organisations.accept(bob, await organisations.invite(alice, tenant, email, ['buyer']))
    const { text } = await apiKeys.create({ kind: 'user', id: bob.id, tenant }, { name: 'of a member' })
    const check = async () => (await apiKeys.check(text, address('192.0.2.7'))).kind
    assert.equal(await check(), 'accepted')
    await organisations.remove(alice, tenant, bob.id)
    assert.equal(await check(), 'refused')
  })
})

describe('an invitation into an organisation', () => {
  async function team(t: TestContext) {
    const site = await startSite(t)
    const { accounts, organisations } = site.identity
    for (const who of ['alice', 'bob', 'carol']) await signUp(site, `${who}@shop.example`)
    const [alice, bob, carol] = await Promise.all(
      ['alice', 'bob', 'carol'].map(who => accounts.named(`${who}@shop.example`)),
    )
    assert.ok(alice && bob && carol)
    const { id: tenant } = await organisations.create(alice, 'Shop')
    const [bobs, carols] = [parseEmail(bob.email), parseEmail(carol.email)]
    assert.ok(bobs && carols)
    return { organisations, alice, bob, carol, tenant, bobs, carols }
  }

  test('attack: of one account are so many that it fills no table with them', async t => {
    const { organisations, alice, tenant } = await team(t)
    const email = (number: number): Email => parseEmail(`guest-${number}@shop.example`) ?? assert.fail()
    await assert.rejects(
      async () => {
        for (let i = 0; i <= 500; i++) await organisations.invite(alice, tenant, email(i), [])
      },
      { code: 'POSTERN_CREDENTIAL' },
    )
    for (let i = 1; i < 100; i++) await organisations.create(alice, `Shop ${i}`)
    await assert.rejects(organisations.create(alice, 'One more'), { code: 'POSTERN_CONFIG' })
  })

  test('brings nobody back who was removed: one that they kept is worth nothing', async t => {
    const { organisations, alice, bob, carol, tenant, bobs, carols } = await team(t)
    const kept = await organisations.invite(alice, tenant, bobs, ['buyer'])
    const ofCarol = await organisations.invite(alice, tenant, carols, [])
    const elsewhere = await organisations.create(alice, 'Other shop')
    const other = await organisations.invite(alice, elsewhere.id, bobs, [])
    const used = await organisations.invite(alice, tenant, bobs, ['buyer'])
    assert.ok(await organisations.accept(bob, used))
    assert.equal(await organisations.remove(alice, tenant, bob.id), true)
    assert.equal(await organisations.accept(bob, kept), undefined)
    assert.ok(await organisations.accept(carol, ofCarol), 'others are invited as before')
    assert.ok(await organisations.accept(bob, other), 'and into other organisations')
  })

  test('that was sent while its member was in does not bring them back either', async t => {
    const { organisations, alice, bob, tenant, bobs } = await team(t)
    assert.ok(await organisations.accept(bob, await organisations.invite(alice, tenant, bobs, [])))
    const kept = await organisations.invite(alice, tenant, bobs, ['owner'])
    assert.equal(await organisations.remove(alice, tenant, bob.id), true)
    assert.equal(await organisations.accept(bob, kept), undefined)
    const fresh = await organisations.invite(alice, tenant, bobs, ['buyer'])
    assert.deepEqual((await organisations.accept(bob, fresh))?.roles, ['buyer'], 'a new one does')
  })

  test('takes the place of an earlier one, which had other roles', async t => {
    const { organisations, alice, bob, tenant, bobs } = await team(t)
    const mistaken = await organisations.invite(alice, tenant, bobs, ['owner'])
    const meant = await organisations.invite(alice, tenant, bobs, ['buyer'])
    assert.equal(await organisations.accept(bob, mistaken), undefined)
    assert.deepEqual((await organisations.accept(bob, meant))?.roles, ['buyer'])
  })
})

describe('a token of one kind', () => {
  const PATHS = {
    'sign-in-link': ['/.postern/sign-in/open', {}],
    reset: ['/.postern/recover/reset', { password: 'another quiet river' }],
    'sign-up': ['/.postern/sign-up/finish', { name: 'Mallory', password: 'another quiet river' }],
  } as const

  /** One mailed token of each kind, for accounts of this site. */
  async function mailed(site: Site): Promise<Readonly<Record<keyof typeof PATHS, string>>> {
    const browser = new PlainBrowser(site.origin)
    await browser.post('/.postern/sign-in/link', { email: 'alice@shop.example' })
    const link = await tokenMailed(site)
    await browser.post('/.postern/recover', { email: 'alice@shop.example' })
    const reset = await tokenMailed(site)
    await browser.post('/.postern/sign-up', { email: 'new@shop.example' })
    return { 'sign-in-link': link, reset, 'sign-up': await tokenMailed(site) }
  }

  test('is worth nothing where another is asked for, and is not used up there', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const tokens = await mailed(site)
    const stranger = new PlainBrowser(site.origin)
    for (const [kind, token] of Object.entries(tokens))
      for (const [wanted, [path, fields]] of Object.entries(PATHS)) {
        if (wanted === kind) continue
        assert.equal((await stranger.post(path, { ...fields, token })).status, 410, `${kind} at ${path}`)
      }
    assert.equal((await whoIs(stranger)).kind, 'anonymous')
    const { 'sign-in-link': link } = tokens
    assert.equal((await stranger.post('/.postern/sign-in/open', { token: link })).status, 303)
  })

  test('a mailed token, a public id or a stored hash is not a session', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const token = browser.cookies.get(COOKIE) ?? ''
    const [session] = await site.identity.sessions.list((await whoIs(browser)).id)
    const tokens = Object.values(await mailed(site))
    for (const text of [
      ...tokens,
      session?.id ?? '',
      tokenHash(token),
      `${token}=`,
      ` ${token.slice(1)}`,
      `"${token}"`,
    ])
      assert.equal(await seenAs(site, { cookie: `${COOKIE}=${text}` }), 'anonymous', text)
    assert.equal(await seenAs(site, { cookie: `${COOKIE}=${token}` }), 'user')
  })

  test('half of a sign-in is not a session, and a session is not half of one', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const browser = await signUp(site, 'alice@shop.example')
    const secret = await enrolled(browser, clock)
    const half = new PlainBrowser(site.origin)
    await half.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
    const pending = half.cookies.get('postern-second-factor') ?? ''
    assert.notEqual(pending, '')
    assert.equal(await seenAs(site, { cookie: `${COOKIE}=${pending}` }), 'anonymous')
    const other = new PlainBrowser(site.origin)
    other.cookies.set('postern-second-factor', browser.cookies.get(COOKIE) ?? '')
    const code = hotp(secret, totpStep(clock.now()))
    assert.equal((await other.post('/.postern/sign-in/code', { code })).status, 401)
    assert.equal((await whoIs(other)).kind, 'anonymous')
  })

  test('an API key is read from its two headers: not from the address, a cookie or another scheme', async t => {
    const site = await startSite(t)
    const key = await keyOf(site, await signUp(site, 'alice@shop.example'))
    const basic = Buffer.from(`${key}:`).toString('base64')
    assert.equal(await seenAs(site, {}, `/?api_key=${key}&access_token=${key}&token=${key}`), 'anonymous')
    assert.equal(await seenAs(site, { cookie: `${COOKIE}=${key}; api_key=${key}` }), 'anonymous')
    assert.equal(await seenAs(site, { authorization: `Basic ${basic}` }), 'anonymous')
    assert.equal(await seenAs(site, { 'x-api-key': key.toUpperCase() }), 401)
    assert.equal(await seenAs(site, { 'x-api-key': `${key}, ${key}` }), 401)
  })
})

/** Adds an authenticator app by the pages. @returns its secret */
async function enrolled(browser: PlainBrowser, clock: VirtualClock): Promise<Uint8Array> {
  const page = (await browser.post('/.postern/account/authenticator')).text
  const text = (/<pre class="secret">([A-Z2-7 ]+)</.exec(page)?.[1] ?? '').replaceAll(' ', '')
  const bits = [...text].map(letter =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  const secret = Uint8Array.from(bits.join('').match(/.{8}/g) ?? [], byte => Number.parseInt(byte, 2))
  await browser.post('/.postern/account/authenticator/confirm', { code: hotp(secret, totpStep(clock.now())) })
  clock.advance(30_000)
  return secret
}

describe('codes', () => {
  test('a code that signed in proves nothing a second time, in another browser or for a step-up', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const secret = await enrolled(await signUp(site, 'alice@shop.example'), clock)
    const code = hotp(secret, totpStep(clock.now()))
    const signIn = async (): Promise<[number, PlainBrowser]> => {
      const browser = new PlainBrowser(site.origin)
      await browser.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
      return [(await browser.post('/.postern/sign-in/code', { code })).status, browser]
    }
    const [first, browser] = await signIn()
    assert.equal(first, 303)
    assert.equal((await signIn())[0], 401)
    assert.equal((await browser.post('/.postern/step-up', { code })).status, 401)
    clock.advance(30_000)
    const next = hotp(secret, totpStep(clock.now()))
    assert.equal((await browser.post('/.postern/step-up', { code: next })).status, 303)
  })

  test('a reset of the password does not get past the second factor, not even by the link of a mail', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    await enrolled(await signUp(site, 'alice@shop.example'), clock)
    const thief = new PlainBrowser(site.origin)
    await thief.post('/.postern/recover', { email: 'alice@shop.example' })
    await thief.post('/.postern/recover/reset', {
      token: await tokenMailed(site),
      password: 'the password of a thief',
      compromised: 'yes',
    })
    const entered = await thief.post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'the password of a thief',
    })
    assert.equal(entered.location.startsWith('/.postern/sign-in/code'), true)
    await thief.post('/.postern/sign-in/link', { email: 'alice@shop.example' })
    const opened = await thief.post('/.postern/sign-in/open', { token: await tokenMailed(site) })
    assert.equal(opened.location.startsWith('/.postern/sign-in/code'), true)
    assert.equal((await whoIs(thief)).kind, 'anonymous')
  })

  test('guesses at the codes of an account are counted over all half-finished sign-ins together', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const secret = await enrolled(await signUp(site, 'alice@shop.example'), clock)
    const right = hotp(secret, totpStep(clock.now()))
    const wrong = right === '000000' ? '000001' : '000000'
    for (let half = 0; half < 8; half++) {
      const thief = new PlainBrowser(site.origin)
      await thief.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
      for (let i = 0; i < 5; i++) await thief.post('/.postern/sign-in/code', { code: wrong })
    }
    const last = new PlainBrowser(site.origin)
    await last.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
    assert.equal((await last.post('/.postern/sign-in/code', { code: right })).status, 401)
  })

  test('and over all processes of a site, also those that start later', async t => {
    const clock = new VirtualClock()
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const site = await startSite(t, { clock, database })
    const secret = await enrolled(await signUp(site, 'alice@shop.example'), clock)
    clock.advance(60_000)
    const code = (): string => hotp(secret, totpStep(clock.now()))
    const wrong = code() === '000000' ? '000001' : '000000'
    for (let i = 0; i < 5; i++)
      for (const { origin } of [site, await startSite(t, { clock, database })]) {
        const thief = new PlainBrowser(origin)
        await thief.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
        await thief.post('/.postern/sign-in/code', { code: wrong })
      }
    const last = new PlainBrowser((await startSite(t, { clock, database })).origin)
    await last.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
    assert.equal((await last.post('/.postern/sign-in/code', { code: code() })).status, 401)
    clock.advance(1_800_001)
    await last.post('/.postern/sign-in', { email: 'alice@shop.example', password: PASSWORD })
    assert.equal((await last.post('/.postern/sign-in/code', { code: code() })).status, 303)
  })
})

describe('passkeys', () => {
  async function withPasskey(
    site: Site,
    email: string,
  ): Promise<{ browser: PlainBrowser; passkey: SoftPasskey }> {
    const browser = await signUp(site, email)
    const passkey = new SoftPasskey(site.origin)
    const options = JSON.parse((await browser.postJson('/.postern/passkey/register-options', {})).text)
    const added = await browser.postJson('/.postern/passkey/register', passkey.create(options))
    assert.equal(added.status, 200)
    return { browser, passkey }
  }
  const signInOptions = async (browser: PlainBrowser) =>
    JSON.parse((await browser.postJson('/.postern/passkey/sign-in-options', {})).text)

  test('an answer that was signed for another site, or for a challenge of nobody, signs nobody in', async t => {
    const site = await startSite(t)
    const { passkey } = await withPasskey(site, 'alice@shop.example')
    const stranger = new PlainBrowser(site.origin)
    const options = await signInOptions(stranger)
    const answer = passkey.get(options)
    const data = JSON.parse(Buffer.from(answer.response['clientDataJSON'] ?? '', 'base64url').toString())
    const phished = { ...data, origin: 'https://shop.example.evil' }
    const forged = {
      ...answer.response,
      clientDataJSON: Buffer.from(JSON.stringify(phished)).toString('base64url'),
    }
    assert.equal(
      (await stranger.postJson('/.postern/passkey/sign-in', { ...answer, response: forged })).status,
      401,
    )
    const unknown = passkey.get({ ...options, challenge: Buffer.alloc(32, 7).toString('base64url') })
    assert.equal((await stranger.postJson('/.postern/passkey/sign-in', unknown)).status, 401)
    assert.equal((await whoIs(stranger)).kind, 'anonymous')
  })

  test('attack: an answer that was given in a frame of another site signs nobody in, and adds no passkey', async t => {
    const site = await startSite(t)
    const { browser, passkey } = await withPasskey(site, 'alice@shop.example')
    passkey.isFramed = true
    const stranger = new PlainBrowser(site.origin)
    const answer = passkey.get(await signInOptions(stranger))
    assert.equal((await stranger.postJson('/.postern/passkey/sign-in', answer)).status, 401)
    const proof = JSON.parse((await browser.postJson('/.postern/passkey/prove-options', {})).text)
    assert.equal((await browser.postJson('/.postern/passkey/prove', passkey.get(proof))).status, 401)
    const fresh = new SoftPasskey(site.origin)
    fresh.isFramed = true
    const asked = JSON.parse((await browser.postJson('/.postern/passkey/register-options', {})).text)
    assert.equal((await browser.postJson('/.postern/passkey/register', fresh.create(asked))).status, 422)
    passkey.isFramed = false
    const again = passkey.get(await signInOptions(stranger))
    assert.equal((await stranger.postJson('/.postern/passkey/sign-in', again)).status, 200)
  })

  test('a challenge for signing in adds no passkey, and one of another account neither', async t => {
    const site = await startSite(t)
    const { browser: alice } = await withPasskey(site, 'alice@shop.example')
    const bob = await signUp(site, 'bob@shop.example')
    const fresh = new SoftPasskey(site.origin)
    const register = JSON.parse((await alice.postJson('/.postern/passkey/register-options', {})).text)
    assert.notEqual((await bob.postJson('/.postern/passkey/register', fresh.create(register))).status, 200)
    const { challenge } = await signInOptions(bob)
    const crossed = fresh.create({ ...register, challenge })
    assert.notEqual((await alice.postJson('/.postern/passkey/register', crossed)).status, 200)
    assert.deepEqual(await site.identity.passkeys.list((await whoIs(bob)).id), [])
  })

  test('an answer that names another account, by its handle, signs nobody in', async t => {
    const site = await startSite(t)
    const { passkey } = await withPasskey(site, 'alice@shop.example')
    const { browser: bob } = await withPasskey(site, 'bob@shop.example')
    const stranger = new PlainBrowser(site.origin)
    const answer = passkey.get(await signInOptions(stranger))
    const handle = Buffer.from((await whoIs(bob)).id).toString('base64url')
    const response = { ...answer.response, userHandle: handle }
    assert.equal((await stranger.postJson('/.postern/passkey/sign-in', { ...answer, response })).status, 401)
    assert.equal((await whoIs(stranger)).kind, 'anonymous')
    // The same without the false name, to know that nothing else was wrong.
    const honest = passkey.get(await signInOptions(stranger))
    assert.equal((await stranger.postJson('/.postern/passkey/sign-in', honest)).status, 200)
  })
})

test('a recovery tells once of the sessions, passkeys and keys that it took, and of none where there were none', async t => {
  const site = await startSite(t)
  const browser = await signUp(site, 'alice@shop.example')
  const recovered = async (): Promise<readonly string[]> => {
    const stranger = new PlainBrowser(site.origin)
    await stranger.post('/.postern/recover', { email: 'alice@shop.example' })
    const fields = { token: await tokenMailed(site), password: 'another quiet river', compromised: 'yes' }
    site.events.length = 0
    assert.equal((await stranger.post('/.postern/recover/reset', fields)).status, 200)
    return site.events.map(({ type }) => type).filter(type => /^(?:key|factor|session)\./.test(type))
  }
  const asked = JSON.parse((await browser.postJson('/.postern/passkey/register-options', {})).text)
  await browser.postJson('/.postern/passkey/register', new SoftPasskey(site.origin).create(asked))
  await browser.post('/.postern/keys', { name: 'mine', days: '' })
  assert.deepEqual(await recovered(), ['session.revoked', 'factor.removed', 'key.revoked'])
  assert.deepEqual(await recovered(), ['session.revoked'])
})

describe('passwords', () => {
  test('what follows the 72 bytes that bcrypt reads never becomes the password', async () => {
    const passwords = new Passwords({ cost: { memory: 64, passes: 1, parallelism: 1 } })
    const head = 'x'.repeat(72)
    const stored = await bcrypt.hash(head, 4)
    assert.deepEqual(await passwords.verify(`${head} and what a thief adds`, stored), { matches: true })
    const exact = await passwords.verify(head, stored)
    assert.equal(exact.matches && exact.upgrade?.startsWith('$argon2id$'), true)
  })

  test('a text that is much too long costs no more than another, and a NUL ends nothing', async () => {
    const passwords = new Passwords({ cost: { memory: 64, passes: 1, parallelism: 1 } })
    const stored = await passwords.hash('a quiet\0river')
    assert.deepEqual(await passwords.verify('a quiet', stored), { matches: false })
    assert.deepEqual(await passwords.verify('a quiet\0lake', stored), { matches: false })
    assert.equal((await passwords.verify('a quiet\0river', stored)).matches, true)
    assert.deepEqual(await passwords.verify('x'.repeat(1_000_000), stored), { matches: false })
  })
})

describe('pages of another origin', () => {
  const CASES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a sibling of the same site', { 'sec-fetch-site': 'same-site', origin: 'https://blog.shop.example' }],
    ['a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['a bookmark or typed address', { 'sec-fetch-site': 'none' }],
    ['a value that no browser sends', { 'sec-fetch-site': 'Same-Origin' }],
    ['two values', { 'sec-fetch-site': 'same-origin, same-origin' }],
  ]
  for (const [who, headers] of CASES)
    test(`${who}: may not sign anybody in or out`, async t => {
      const site = await startSite(t)
      const browser = await signUp(site, 'alice@shop.example')
      assert.equal((await browser.post('/.postern/sign-out', {}, headers)).status, 403)
      assert.equal((await whoIs(browser)).kind, 'user')
      const fields = { email: 'alice@shop.example', password: PASSWORD }
      const stranger = new PlainBrowser(site.origin)
      assert.equal((await stranger.post('/.postern/sign-in', fields, headers)).status, 403)
      assert.equal((await whoIs(stranger)).kind, 'anonymous')
    })

  test('a form posted as another type, or with a body that is not a form, does nothing', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x'])
      await browser.post('/.postern/keys', { name: 'planted' }, { 'content-type': type })
    assert.deepEqual(await site.identity.apiKeys.listAll(), [])
  })
})

describe('mail as a factor', () => {
  test('where mailed links must not sign in (ASVS 6.3.6), there is no such page, and a token from before is worth nothing', async t => {
    const site = await startSite(t, { mailedLinks: 'never' })
    await signUp(site, 'alice@shop.example')
    const browser = new PlainBrowser(site.origin)
    assert.doesNotMatch((await browser.get('/.postern/sign-in')).text, /sign-in\/link/)
    const before = site.mails.length
    await browser.post('/.postern/sign-in/link', { email: 'alice@shop.example' })
    await site.identity.close()
    assert.equal(site.mails.length, before)
    await browser.post('/.postern/recover', { email: 'alice@shop.example' })
    await browser.post('/.postern/sign-in/open', { token: await tokenMailed(site) })
    assert.equal((await whoIs(browser)).kind, 'anonymous')
  })
})

/** Kept last: how many mails one visitor can make this site send. */
describe('mails', () => {
  test('lead to the configured origin and carry nothing of the visitor but the address they are for', async (t: TestContext) => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const browser = new PlainBrowser(site.origin)
    const headers = {
      'x-forwarded-host': 'evil.example',
      'accept-language': 'en\r\n\tde',
      referer: 'https://evil.example',
    }
    await browser
      .post(
        '/.postern/recover?back=//evil.example',
        { email: 'alice@shop.example', back: 'https://evil.example' },
        headers,
      )
      .catch(() => undefined)
    await browser.post('/.postern/recover', { email: 'alice@shop.example\r\nBcc: mallory@evil.example' })
    await browser.post('/.postern/recover', { email: 'alice@shop.example,mallory@evil.example' })
    await site.identity.close()
    assert.doesNotMatch(JSON.stringify(site.mails), /evil\.example/)
  })
})
