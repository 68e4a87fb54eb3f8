import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { parseEmail } from '../src/account/email.ts'
import { PlainBrowser, type Site, startSite, whoIs } from './site.ts'
import { SoftPasskey } from './soft-passkey.ts'

const EMAIL = 'pat@shop.example'
const HOUR = 3_600_000

interface Owner {
  readonly site: Site
  readonly clock: VirtualClock
  readonly browser: PlainBrowser
  readonly passkey: SoftPasskey
  readonly id: string
}

const tokenOf = async (site: Site): Promise<string> =>
  new URL(await site.link()).searchParams.get('token') ?? ''

async function signInByMail(site: Site, email = EMAIL): Promise<PlainBrowser> {
  const browser = new PlainBrowser(site.origin)
  await browser.post('/.postern/sign-in/link', { email })
  const token = await tokenOf(site)
  assert.equal((await browser.post('/.postern/sign-in/open', { token })).status, 303)
  return browser
}

async function addPasskey(browser: PlainBrowser, passkey: SoftPasskey, name: string): Promise<number> {
  const offer = await browser.postJson('/.postern/passkey/register-options', {})
  if (offer.status !== 200) return offer.status
  const answer = passkey.create(JSON.parse(offer.text))
  return (await browser.postJson(`/.postern/passkey/register?name=${name}`, answer)).status
}

async function signInByPasskey(site: Site, passkey: SoftPasskey): Promise<[PlainBrowser, number]> {
  const browser = new PlainBrowser(site.origin)
  const offer = JSON.parse((await browser.postJson('/.postern/passkey/sign-in-options', {})).text)
  const answer = await browser.postJson('/.postern/passkey/sign-in', passkey.get(offer))
  return [browser, answer.status]
}

async function prove(browser: PlainBrowser, passkey: SoftPasskey): Promise<number> {
  const offer = JSON.parse((await browser.postJson('/.postern/passkey/prove-options', {})).text)
  return (await browser.postJson('/.postern/passkey/prove', passkey.get(offer))).status
}

/** Somebody who was brought along without a password, came in by mail, and added a passkey. */
async function owner(t: TestContext): Promise<Owner> {
  const clock = new VirtualClock()
  const site = await startSite(t, { clock })
  const email = parseEmail(EMAIL) ?? assert.fail()
  await site.identity.accounts.create({ email, locale: 'en', name: 'Pat', emailVerified: 'yes' })
  const first = await signInByMail(site)
  const passkey = new SoftPasskey(site.origin)
  assert.equal(await addPasskey(first, passkey, 'Phone'), 200)
  const [browser, status] = await signInByPasskey(site, passkey)
  assert.equal(status, 200)
  const { id } = await whoIs(browser)
  return { site, clock, browser, passkey, id }
}

describe('an account with passkeys and no password', () => {
  test('signs in by its passkey, which is two factors, and by no password', async t => {
    const { site, browser } = await owner(t)
    const principal = await whoIs(browser)
    assert.equal(principal.kind, 'user')
    assert.ok(principal.amr?.includes('mfa'))
    for (const password of ['', ' ', 'undefined', 'null'])
      assert.equal(
        (await new PlainBrowser(site.origin).post('/.postern/sign-in', { email: EMAIL, password })).status,
        401,
      )
  })

  test('proves itself again by its passkey; the page asks for no password, and takes none', async t => {
    const { clock, browser, passkey } = await owner(t)
    clock.advance(HOUR)
    const stale = await browser.get('/.postern/account/email')
    assert.equal(stale.status, 303)
    assert.match(stale.location, /\/step-up/)
    const page = await browser.get('/.postern/step-up?back=/.postern/account/email')
    assert.match(page.text, /data-passkey="prove"/)
    assert.doesNotMatch(page.text, /name="password"|name="code"/)
    for (const password of ['', 'x'])
      assert.equal((await browser.post('/.postern/step-up', { password, code: '' })).status, 401)
    assert.equal((await browser.get('/.postern/account/email')).status, 303)
    assert.equal(await prove(browser, passkey), 200)
    assert.equal((await browser.get('/.postern/account/email')).status, 200)
  })

  test('confirms one act by its passkey', async t => {
    const { site, browser, passkey, id } = await owner(t)
    const act = { actor: `user:${id}`, action: 'orders.delete', resource: 'order/1', arguments: {} }
    const ask = async () => {
      const exchange = site.engine.open({
        method: 'DELETE',
        target: '/orders/1',
        headers: ['cookie', `postern-session=${browser.cookies.get('postern-session')}`],
        peer: '127.0.0.1',
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      const principal = await site.identity.identify(exchange)
      if (principal !== undefined) exchange.setPrincipal(principal)
      return site.identity.stepUp.check(exchange, { within: 0, act })
    }
    const challenge = await ask()
    assert.ok('location' in challenge)
    assert.match((await browser.get(challenge.location)).text, /data-passkey="confirm"/)
    const query = challenge.location.slice(challenge.location.indexOf('?'))
    const offer = JSON.parse((await browser.postJson(`/.postern/confirm/options${query}`, {})).text)
    assert.equal((await browser.postJson(`/.postern/confirm/answer${query}`, passkey.get(offer))).status, 200)
    assert.ok('amr' in (await ask()))
  })

  test('adds a second passkey, removes both, and still gets in by mail and adds one again', async t => {
    const { site, clock, browser, passkey, id } = await owner(t)
    const second = new SoftPasskey(site.origin)
    assert.equal(await addPasskey(browser, second, 'Laptop'), 200)
    for (const { id: key } of await site.identity.passkeys.list(id))
      assert.equal((await browser.post('/.postern/passkey/remove', { id: key })).status, 303)
    assert.deepEqual(await site.identity.passkeys.list(id), [])
    await site.identity.close()
    assert.equal(site.mails.at(-1)?.to, EMAIL, 'its owner gets notice')
    for (const gone of [passkey, second]) assert.equal((await signInByPasskey(site, gone))[1], 401)
    // Nothing is left to prove itself by in this session: it signs in again.
    clock.advance(HOUR)
    const page = await browser.get('/.postern/step-up?back=/.postern/account')
    assert.doesNotMatch(page.text, /data-passkey="prove"|name="password"|name="code"/)
    assert.match(page.text, /\/sign-in\?back=/)
    assert.equal(await addPasskey(browser, second, 'Thief'), 401, 'an old session adds none')
    clock.advance(HOUR)
    const again = await signInByMail(site)
    assert.equal(await addPasskey(again, new SoftPasskey(site.origin), 'New phone'), 200)
  })

  test('changes its address, and signs in by the passkey of before', async t => {
    const { site, browser, passkey, id } = await owner(t)
    await browser.post('/.postern/account/email', { email: 'pat@new.example' })
    const token = await tokenOf(site)
    assert.equal((await browser.post('/.postern/account/email/confirm', { token })).status, 200)
    await site.identity.close()
    assert.equal(site.mails.at(-1)?.to, EMAIL, 'the old address gets notice')
    const [after, status] = await signInByPasskey(site, passkey)
    assert.equal(status, 200)
    assert.equal((await whoIs(after)).id, id)
    assert.equal((await site.identity.accounts.byId(id))?.email, 'pat@new.example')
  })

  test('recovers by mail: it gets a password, keeps its passkeys, or loses them where somebody else had the account', async t => {
    const { site, browser, passkey, id } = await owner(t)
    const recover = async (fields: Readonly<Record<string, string>>): Promise<void> => {
      const stranger = new PlainBrowser(site.origin)
      await stranger.post('/.postern/recover', { email: EMAIL })
      const token = await tokenOf(site)
      const password = 'a slow green river'
      assert.ok((await stranger.post('/.postern/recover/reset', { token, password, ...fields })).status < 400)
      assert.equal((await whoIs(stranger)).kind, 'anonymous', 'it signs nobody in')
    }
    await recover({})
    assert.equal((await whoIs(browser)).kind, 'anonymous', 'every session has ended')
    assert.equal((await signInByPasskey(site, passkey))[1], 200)
    await recover({ compromised: 'yes' })
    assert.equal((await signInByPasskey(site, passkey))[1], 401)
    assert.deepEqual(await site.identity.passkeys.list(id), [])
  })

  test('exports and deletes itself, and its passkey opens nothing afterwards', async t => {
    const { site, clock, browser, passkey, id } = await owner(t)
    clock.advance(HOUR)
    assert.equal((await browser.post('/.postern/account/delete', { sure: 'yes' })).status, 303)
    assert.ok(await site.identity.accounts.byId(id), 'an old proof deletes nothing')
    assert.equal(await prove(browser, passkey), 200)
    const { text } = await browser.post('/.postern/account/export')
    assert.equal(JSON.parse(text).account.email, EMAIL)
    assert.match(text, /Phone/)
    assert.equal((await browser.post('/.postern/account/delete', { sure: 'yes' })).status, 303)
    assert.equal(await site.identity.accounts.byId(id), undefined)
    assert.equal((await signInByPasskey(site, passkey))[1], 401)
  })
})
