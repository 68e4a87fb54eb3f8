import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hotp, totpStep } from '../src/totp/totp.ts'
import { PlainBrowser, signUp, startSite, whoIs } from './site.ts'
import { VirtualClock } from './support.ts'

/** The secret that an enrolment page shows, as bytes. */
function secretOf(page: string): Uint8Array {
  const text = (/<pre class="secret">([A-Z2-7 ]+)</.exec(page)?.[1] ?? '').replaceAll(' ', '')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], byte => Number.parseInt(byte, 2))
}

describe('the pages, without JavaScript', () => {
  test('sign somebody up by mail, then out and in again', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const { kind, amr } = await whoIs(browser)
    assert.equal(kind, 'user')
    assert.deepEqual(amr, ['pwd'])
    const out = await browser.post('/.postern/sign-out')
    assert.equal(out.status, 303)
    assert.equal(out.headers.get('clear-site-data'), '"cache", "storage"')
    assert.equal((await whoIs(browser)).kind, 'anonymous')
    const wrong = await browser.post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'wrong river',
    })
    assert.equal(wrong.status, 401)
    const right = await browser.post('/.postern/sign-in', {
      email: ' Alice@Shop.example ',
      password: 'a quiet river',
      back: '/orders?page=2',
    })
    assert.equal(right.status, 303)
    assert.equal(right.location, '/orders?page=2')
    assert.equal((await whoIs(browser)).kind, 'user')
  })

  test('answer the same for a known and an unknown address', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const visible = (text: string): string => text.replace(/nonce="[^"]*"|value="[^"]*"/g, '')
    for (const path of [
      '/.postern/sign-in',
      '/.postern/sign-in/link',
      '/.postern/recover',
      '/.postern/sign-up',
    ]) {
      const stranger = new PlainBrowser(site.origin)
      await stranger.get('/.postern/sign-in')
      const known = await stranger.post(path, { email: 'alice@shop.example', password: 'wrong river' })
      const unknown = await stranger.post(path, { email: 'nobody@shop.example', password: 'wrong river' })
      assert.equal(known.status, unknown.status)
      assert.equal(visible(known.text), visible(unknown.text), path)
    }
    await site.identity.close()
    const sent = site.mails.map(({ to, subject }) => `${to}: ${subject}`).sort()
    assert.deepEqual(
      sent.filter(line => line.startsWith('nobody')),
      ['nobody@shop.example: Create your account at Shop'],
    )
  })

  test('sign in by a mailed link, which works once and changes nothing when it is only opened', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const browser = new PlainBrowser(site.origin)
    await browser.post('/.postern/sign-in/link', { email: 'alice@shop.example' })
    const link = new URL(await site.link())
    for (let i = 0; i < 3; i++) assert.equal((await browser.get(link.pathname + link.search)).status, 200)
    const token = link.searchParams.get('token') ?? ''
    const [one, two] = await Promise.all([
      browser.post('/.postern/sign-in/open', { token }),
      new PlainBrowser(site.origin).post('/.postern/sign-in/open', { token }),
    ])
    assert.deepEqual([one.status, two.status].sort(), [303, 410])
    assert.equal((await browser.get(link.pathname + link.search)).status, 410)
  })

  test('reset a password: every session ends, nobody is signed in, and older links are dead', async t => {
    const site = await startSite(t)
    const thief = await signUp(site, 'alice@shop.example')
    const owner = new PlainBrowser(site.origin)
    await owner.post('/.postern/recover', { email: 'alice@shop.example' })
    const first = new URL(await site.link()).searchParams.get('token') ?? ''
    await owner.post('/.postern/recover', { email: 'alice@shop.example' })
    const second = new URL(await site.link()).searchParams.get('token') ?? ''
    const short = await owner.post('/.postern/recover/reset', { token: second, password: 'short' })
    assert.equal(short.status, 422)
    const done = await owner.post('/.postern/recover/reset', {
      token: second,
      password: 'another quiet river',
      compromised: 'yes',
    })
    assert.equal(done.status, 200)
    assert.equal((await whoIs(thief)).kind, 'anonymous')
    assert.equal((await whoIs(owner)).kind, 'anonymous')
    const again = await owner.post('/.postern/recover/reset', { token: first, password: 'yet another river' })
    assert.equal(again.status, 410)
    await site.identity.close()
    assert.match(site.mails.at(-1)?.subject ?? '', /was changed/)
    const signIn = await owner.post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'another quiet river',
    })
    assert.equal(signIn.status, 303)
  })

  test('set up an authenticator app, ask for its code from then on, and take each code once', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const browser = await signUp(site, 'alice@shop.example')
    const secret = secretOf((await browser.post('/.postern/account/authenticator')).text)
    assert.equal(secret.length, 20)
    const code = (): string => hotp(secret, totpStep(clock.now()))
    assert.equal(
      (await browser.post('/.postern/account/authenticator/confirm', { code: '000000' })).status,
      422,
    )
    const codes = (await browser.post('/.postern/account/authenticator/confirm', { code: code() })).text
    const recovery = [...codes.matchAll(/<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){5})</g)].map(
      match => match[1] ?? '',
    )
    assert.equal(recovery.length, 10)

    const other = new PlainBrowser(site.origin)
    const first = await other.post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'a quiet river',
    })
    assert.equal(first.location, '/.postern/sign-in/code')
    assert.equal((await whoIs(other)).kind, 'anonymous')
    // The code that confirmed the app is spent.
    assert.equal((await other.post('/.postern/sign-in/code', { code: code() })).status, 401)
    clock.advance(30_000)
    const spent = code()
    assert.equal((await other.post('/.postern/sign-in/code', { code: spent })).status, 303)
    assert.deepEqual((await whoIs(other)).amr, ['pwd', 'otp', 'mfa'])

    const third = new PlainBrowser(site.origin)
    await third.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    assert.equal((await third.post('/.postern/sign-in/code', { code: spent })).status, 401)
    assert.equal((await third.post('/.postern/sign-in/code', { code: recovery[0] ?? '' })).status, 303)
    const fourth = new PlainBrowser(site.origin)
    await fourth.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    assert.equal((await fourth.post('/.postern/sign-in/code', { code: recovery[0] ?? '' })).status, 401)
  })

  test('let a half-finished sign-in try five codes and no more', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const browser = await signUp(site, 'alice@shop.example')
    const secret = secretOf((await browser.post('/.postern/account/authenticator')).text)
    await browser.post('/.postern/account/authenticator/confirm', {
      code: hotp(secret, totpStep(clock.now())),
    })
    clock.advance(30_000)
    const guesser = new PlainBrowser(site.origin)
    await guesser.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    for (let i = 0; i < 5; i++)
      assert.equal((await guesser.post('/.postern/sign-in/code', { code: '000000' })).status, 401)
    const right = hotp(secret, totpStep(clock.now()))
    assert.equal((await guesser.post('/.postern/sign-in/code', { code: right })).status, 401)
  })

  test('change an address: a link to the new one, a notice to the old one, other sessions and older links end', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const other = new PlainBrowser(site.origin)
    await other.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    await other.post('/.postern/recover', { email: 'alice@shop.example' })
    const reset = new URL(await site.link()).searchParams.get('token') ?? ''
    await browser.post('/.postern/account/email', { email: 'alice@new.example' })
    const link = new URL(await site.link())
    assert.equal(site.mails.at(-1)?.to, 'alice@new.example')
    const token = link.searchParams.get('token') ?? ''
    assert.equal((await browser.get(link.pathname + link.search)).status, 200)
    assert.equal((await browser.post('/.postern/account/email/confirm', { token })).status, 200)
    await site.identity.close()
    assert.equal(site.mails.at(-1)?.to, 'alice@shop.example')
    assert.equal((await whoIs(browser)).kind, 'user')
    assert.equal((await whoIs(other)).kind, 'anonymous')
    assert.equal(
      (await other.post('/.postern/recover/reset', { token: reset, password: 'yet another river' })).status,
      410,
    )
    assert.equal(
      (await other.post('/.postern/sign-in', { email: 'alice@new.example', password: 'a quiet river' }))
        .status,
      303,
    )
  })

  test('list devices and sign out one, or all others', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const other = new PlainBrowser(site.origin)
    await other.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    const page = (await browser.get('/.postern/sessions')).text
    assert.match(page, /Firefox, Linux/)
    const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? ''
    assert.equal((await browser.post('/.postern/sessions/revoke', { id })).status, 303)
    assert.equal((await whoIs(other)).kind, 'anonymous')
    await other.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    await browser.post('/.postern/sessions/revoke-others')
    assert.equal((await whoIs(other)).kind, 'anonymous')
    assert.equal((await whoIs(browser)).kind, 'user')
  })

  test('make a key, use it, rotate it, revoke it, and have it revoked by a scanner', async t => {
    const site = await startSite(t, { keys: { prefix: 'shop' } })
    const browser = await signUp(site, 'alice@shop.example')
    const made = await browser.post('/.postern/keys', {
      name: 'deploy',
      scopes: 'orders:read orders:write',
      days: '30',
    })
    const key = /<pre class="secret" id="key">([^<]+)</.exec(made.text)?.[1] ?? ''
    const program = new PlainBrowser(site.origin)
    const asked = JSON.parse((await program.get('/api', { authorization: `Bearer ${key}` })).text)
    assert.equal(asked.kind, 'apiKey')
    assert.deepEqual(asked.scopes, ['orders:read', 'orders:write'])
    const bad = await program.get('/api', { authorization: `Bearer ${key.replace(/.$/, '')}` })
    assert.equal(bad.status, 401)
    assert.equal((await program.get('/api', { 'x-api-key': 'nonsense' })).status, 401)
    const report = await program.postJson(
      '/.postern/keys/leaks',
      [{ token: key, type: 'shop', url: 'https://git.example/1' }],
      { 'sec-fetch-site': 'none' },
    )
    assert.equal(JSON.parse(report.text)[0].label, 'true_positive')
    assert.equal((await program.get('/api', { authorization: `Bearer ${key}` })).status, 401)
  })

  test('attack: a session from a time when the clock was wrong stays fresh until that time comes', async t => {
    const clock = new VirtualClock()
    const now = clock.now()
    clock.step(now + 86_400_000)
    const site = await startSite(t, { clock })
    const browser = await signUp(site, 'alice@shop.example')
    clock.step(now)
    for (const path of ['/.postern/passkey/new', '/.postern/account/password'])
      assert.equal((await browser.get(path)).location, `/.postern/step-up?back=${encodeURIComponent(path)}`)
    await browser.post('/.postern/step-up', { password: 'a quiet river' })
    assert.equal((await browser.get('/.postern/account/password')).status, 200)
  })

  test('ask for a fresh proof before anything that changes how the account is secured', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const browser = await signUp(site, 'alice@shop.example')
    clock.advance(600_001)
    for (const path of [
      '/.postern/account/password',
      '/.postern/account/email',
      '/.postern/passkey/new',
      '/.postern/account/delete',
    ])
      assert.equal((await browser.get(path)).location, `/.postern/step-up?back=${encodeURIComponent(path)}`)
    for (const path of [
      '/.postern/account/password',
      '/.postern/account/authenticator',
      '/.postern/keys',
      '/.postern/account/export',
    ])
      assert.equal(
        (await browser.post(path, { password: 'another river', name: 'key' })).location,
        '/.postern/step-up?back=%2F.postern%2Faccount',
        path,
      )
    const before = browser.cookies.get('postern-session')
    assert.equal((await browser.post('/.postern/step-up', { password: 'wrong river' })).status, 401)
    const proven = await browser.post('/.postern/step-up', {
      password: 'a quiet river',
      back: '/.postern/account/password',
    })
    assert.equal(proven.location, '/.postern/account/password')
    // The token changed with the privilege; the session is the same, and there is no second one.
    assert.notEqual(browser.cookies.get('postern-session'), before)
    const { id } = await whoIs(browser)
    assert.equal((await site.identity.sessions.list(id)).length, 1)
    const thief = new PlainBrowser(site.origin)
    thief.cookies.set('postern-session', before ?? '')
    assert.equal((await whoIs(thief)).kind, 'anonymous')
    assert.equal((await browser.get('/.postern/account/password')).status, 200)
  })

  test('export and delete an account', async t => {
    const site = await startSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const { text } = await browser.post('/.postern/account/export')
    const data = JSON.parse(text)
    assert.equal(data.account.email, 'alice@shop.example')
    assert.ok(!/argon2|token|hash/i.test(text))
    assert.equal((await browser.post('/.postern/account/delete', { sure: 'yes' })).status, 303)
    assert.equal((await whoIs(browser)).kind, 'anonymous')
    assert.equal(
      (await browser.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' }))
        .status,
      401,
    )
  })

  test('invite somebody into an organisation: only the invited address, once, with the roles of then', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    await alice.post('/.postern/organisations', { name: 'Acme' })
    const { tenant, roles } = await whoIs(alice)
    assert.deepEqual(roles, ['tenant:owner'])
    await alice.post('/.postern/organisations/invite', { id: String(tenant), email: 'bob@shop.example' })
    const token = new URL(await site.link()).searchParams.get('token') ?? ''
    const carol = await signUp(site, 'carol@shop.example')
    assert.equal((await carol.post('/.postern/invitation', { token })).status, 410)
    const bob = await signUp(site, 'bob@shop.example')
    assert.equal((await bob.post('/.postern/invitation', { token })).status, 303)
    assert.equal((await whoIs(bob)).tenant, tenant)
    assert.equal(
      (await bob.post('/.postern/organisations/invite', { id: String(tenant), email: 'dan@shop.example' }))
        .status,
      403,
    )
    assert.equal((await carol.post('/.postern/organisations/enter', { id: String(tenant) })).status, 303)
    assert.equal((await whoIs(carol)).tenant, undefined)
  })
})
