// The bug classes that built-in identity must not have. Each was a real advisory somewhere, and each test
// fails against code that is wrong on purpose: broken-variants.ts.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ConfigError, systemClock } from '@postern/core'
import { parseEmail } from '../src/account/email.ts'
import { IdentitySecret } from '../src/database/identity-secret.ts'
import { safePath } from '../src/step-up/safe-path.ts'
import { hotp, totpStep } from '../src/totp/totp.ts'
import { freePort, PlainBrowser, type Site, type SiteOptions, signUp, startSite, whoIs } from './site.ts'
import { SoftPasskey } from './soft-passkey.ts'
import { address, VirtualClock } from './support.ts'

function secretOf(page: string): Uint8Array {
  const text = (/<pre class="secret">([A-Z2-7 ]+)</.exec(page)?.[1] ?? '').replaceAll(' ', '')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], byte => Number.parseInt(byte, 2))
}

/** Adds an authenticator app by the pages. @returns its secret */
async function enrol(browser: PlainBrowser, clock: VirtualClock): Promise<Uint8Array> {
  const secret = secretOf((await browser.post('/.postern/account/authenticator')).text)
  await browser.post('/.postern/account/authenticator/confirm', { code: hotp(secret, totpStep(clock.now())) })
  clock.advance(30_000)
  return secret
}

describe('bug class: owner from the body', () => {
  test('a key belongs to whoever is signed in, whatever the form says', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const bob = await signUp(site, 'bob@shop.example')
    const { id: bobId } = await whoIs(bob)
    const fields = {
      owner: bobId,
      owner_id: bobId,
      ownerId: bobId,
      account: bobId,
      user: bobId,
      tenant: 'acme',
    }
    await alice.post('/.postern/keys', { name: 'mine', ...fields })
    const [key] = await site.identity.apiKeys.listAll()
    assert.equal(key?.owner.id, (await whoIs(alice)).id)
    assert.equal(key?.tenant, undefined)
  })

  test('a session, a passkey or a key of another account cannot be named', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const bob = await signUp(site, 'bob@shop.example')
    await bob.post('/.postern/keys', { name: 'of bob' })
    const [key] = await site.identity.apiKeys.listAll()
    const [session] = await site.identity.sessions.list((await whoIs(bob)).id)
    await alice.post('/.postern/keys/revoke', { id: key?.id ?? '' })
    assert.equal((await alice.post('/.postern/keys/rotate', { id: key?.id ?? '' })).status, 422)
    await alice.post('/.postern/sessions/revoke', { id: session?.id ?? '' })
    assert.equal((await whoIs(bob)).kind, 'user')
    assert.equal((await site.identity.apiKeys.listAll())[0]?.revokedAt, undefined)
  })
})

describe('bug class: X-Forwarded-* trusted from anyone', () => {
  test('links in mails, redirects and the issuer are of the configured origin', async t => {
    const site = await startSite(t, { oauth: {} })
    await signUp(site, 'alice@shop.example')
    const browser = new PlainBrowser(site.origin)
    const evil = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example;proto=https',
      'x-original-host': 'evil.example',
    }
    await browser.post('/.postern/recover', { email: 'alice@shop.example' }, evil)
    assert.equal(new URL(await site.link()).origin, site.origin)
    const { text } = await browser.get('/.postern/oauth/.well-known/openid-configuration', evil)
    assert.ok(!text.includes('evil.example'))
    assert.equal(JSON.parse(text).issuer, `${site.origin}/.postern/oauth`)
    assert.ok(!(await browser.get('/.postern/account', evil)).location.includes('evil'))
  })
})

describe('bug class: an internal header honoured from outside', () => {
  test('the header that tells the backend who acts never passes as the client sent it', async t => {
    const seen: (string | undefined)[] = []
    const site = await startSite(t, {
      backend: {},
      application: exchange => {
        const changes = exchange.requestChanges
        seen.push(
          changes?.has('x-identity-jwt') ? changes.get('x-identity-jwt') : exchange.header('x-identity-jwt'),
        )
        return { status: 200, body: '' }
      },
    })
    const forged = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"admin"}').toString('base64url')}.`
    await new PlainBrowser(site.origin).get('/', { 'x-identity-jwt': forged })
    const alice = await signUp(site, 'alice@shop.example')
    await alice.get('/', { 'X-Identity-JWT': forged })
    assert.equal(seen[0], undefined)
    assert.ok(seen[1] !== undefined && seen[1] !== forged && seen[1].split('.').length === 3)
  })
})

describe('bug class: redeem and rotate races', () => {
  test('of many uses of one link at once, one signs in', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    await new PlainBrowser(site.origin).post('/.postern/sign-in/link', { email: 'alice@shop.example' })
    const token = new URL(await site.link()).searchParams.get('token') ?? ''
    const tries = await Promise.all(
      Array.from({ length: 12 }, () =>
        new PlainBrowser(site.origin).post('/.postern/sign-in/open', { token }),
      ),
    )
    assert.equal(tries.filter(({ status }) => status === 303).length, 1)
  })

  test('of many uses of one code at once, one is right', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const secret = await enrol(await signUp(site, 'alice@shop.example'), clock)
    const browsers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const browser = new PlainBrowser(site.origin)
        await browser.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
        return browser
      }),
    )
    const code = hotp(secret, totpStep(clock.now()))
    const tries = await Promise.all(browsers.map(browser => browser.post('/.postern/sign-in/code', { code })))
    assert.equal(tries.filter(({ status }) => status === 303).length, 1)
  })

  test('of two rotations of one session at once, one holds', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const token = alice.cookies.get('postern-session') ?? ''
    const session = await site.identity.sessions.find(token, '192.0.2.7')
    assert.ok(session)
    const tries = await Promise.all(
      [1, 2, 3].map(() => site.identity.sessions.rotate(token, session, ['pwd'])),
    )
    assert.equal(tries.filter(made => made !== undefined).length, 1)
  })
})

describe('bug class: open redirect and Host-header redirect', () => {
  const origin = 'https://shop.example'
  const evil = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example/',
    '/\t/evil.example/',
    'https:evil.example',
    'https:/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'https://shop.example@evil.example/',
    'https://user@shop.example/',
    '/.//evil.example/',
    '/x/..//evil.example/',
    'http://shop.example/',
    'https://shop.example.evil.example/',
    'https://shop.example:444/',
    '/\u0000//evil.example',
    `/${'x'.repeat(3_000)}`,
  ]
  for (const text of evil) {
    test(`${JSON.stringify(text.slice(0, 40))} is not a place to go back to`, () => {
      const path = safePath(text, origin)
      // A path on this site is harmless, whatever it is called.
      const target = path === undefined ? origin : new URL(path, origin).origin
      assert.equal(target, origin)
      assert.ok(path === undefined || /^\/(?![/\\])/.test(path), path)
    })
  }

  test('signing in goes home when the way back leads elsewhere', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    for (const back of evil.slice(0, 11)) {
      const browser = new PlainBrowser(site.origin)
      const answer = await browser.post('/.postern/sign-in', {
        email: 'alice@shop.example',
        password: 'a quiet river',
        back,
      })
      assert.equal(answer.status, 303)
      assert.equal(new URL(answer.location, site.origin).origin, site.origin, back)
      assert.ok(!answer.location.includes('evil'), back)
    }
  })

  test('a path of this origin is one', () => {
    assert.equal(safePath('/orders?page=2&sort=%2F', origin), '/orders?page=2&sort=%2F')
    assert.equal(safePath('https://shop.example/orders', origin), '/orders')
  })
})

/** A provider (another site with an OAuth server), and a site whose people can sign in there. */
async function twoSites(
  t: TestContext,
  askedOfOther: string[] = [],
  ofProvider: SiteOptions = {},
): Promise<{ readonly provider: Site; readonly site: Site; readonly other: Site }> {
  const [port, otherPort] = [await freePort(), await freePort()]
  const client = (id: string) => ({
    client_id: id,
    client_secret: `a secret of ${id}, which is long enough`,
    redirect_uris: [`http://localhost:${port}/.postern/external/callback/${id}`],
  })
  const provider = await startSite(t, {
    oauth: { clients: [client('good')] },
    siteName: 'Provider',
    ...ofProvider,
  })
  const other = await startSite(t, {
    oauth: { clients: [client('other')] },
    port: otherPort,
    siteName: 'Other',
    first: ({ path }) => void (path.canonical.endsWith('/token') && askedOfOther.push(path.canonical)),
  })
  const configured = [
    {
      id: 'good',
      name: 'Good',
      issuer: `${provider.origin}/.postern/oauth`,
      clientId: 'good',
      clientSecret: client('good').client_secret,
    },
    {
      id: 'other',
      name: 'Other',
      issuer: `${other.origin}/.postern/oauth`,
      clientId: 'other',
      clientSecret: client('other').client_secret,
    },
  ]
  const site = await startSite(t, { port, providers: configured })
  return { provider, site, other }
}

/**
 * Goes to the provider, allows it, and comes back with the callback's path.
 * @param password for a provider that asks for a fresh proof
 */
async function throughProvider(
  site: Site,
  browser: PlainBrowser,
  provider: Site,
  there: PlainBrowser,
  fields: Readonly<Record<string, string>>,
  password?: string,
): Promise<string> {
  const started = await browser.post('/.postern/external/start', fields)
  let next = (started.headers.get('refresh') ?? '').replace(/^0; url=/, '')
  for (let i = 0; i < 10; i++) {
    const url = new URL(next, provider.origin)
    if (url.origin === site.origin) return url.pathname + url.search
    const answer = await there.get(url.pathname + url.search)
    const isAsked = url.pathname.endsWith('/step-up') && password !== undefined
    const given = isAsked ? { password, back: url.searchParams.get('back') ?? '' } : { decision: 'allow' }
    next =
      answer.status === 200 ? (await there.post(url.pathname + url.search, given)).location : answer.location
    if (next === '') throw new Error(`stopped at ${url.pathname} with ${answer.status}`)
  }
  throw new Error('too many redirects')
}

/** A link asks the provider for a proof of now: once the second is over, signing up was too long ago. */
const LINKING = [{ provider: 'good', link: 'yes' }, 'a quiet river'] as const

describe('bug class: account linking without ownership', () => {
  test('an account is not taken over by whoever has its address at another provider', async t => {
    const { provider, site } = await twoSites(t)
    const victim = await signUp(site, 'alice@shop.example')
    const attacker = await signUp(provider, 'alice@shop.example')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, attacker, { provider: 'good' })
    assert.equal((await browser.get(path)).status, 401)
    assert.equal((await whoIs(browser)).kind, 'anonymous')
    assert.equal((await whoIs(victim)).kind, 'user')
  })

  test('somebody new signs up through the provider, with the address that it has verified', async t => {
    const { provider, site } = await twoSites(t)
    const there = await signUp(provider, 'carol@elsewhere.example')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, there, { provider: 'good', back: '/orders' })
    assert.equal((await browser.get(path)).location, '/orders')
    const account = await site.identity.accounts.byId((await whoIs(browser)).id)
    assert.equal(account?.email, 'carol@elsewhere.example')
  })

  test('its owner links it, and signs in there from then on', async t => {
    const { provider, site } = await twoSites(t)
    const alice = await signUp(site, 'alice@shop.example')
    const there = await signUp(provider, 'alice@elsewhere.example')
    const back = await throughProvider(site, alice, provider, there, ...LINKING)
    assert.equal((await alice.get(back)).location, '/.postern/account')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, there, { provider: 'good' })
    assert.equal((await browser.get(path)).status, 303)
    assert.equal((await whoIs(browser)).id, (await whoIs(alice)).id)
  })

  test('a sign-in that was begun ends once, and none that was begun is stored', async t => {
    const { provider, site } = await twoSites(t)
    const there = await signUp(provider, 'carol@elsewhere.example')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, there, { provider: 'good' })
    const state = browser.cookies.get('postern-external') ?? ''
    assert.equal((await browser.get(path)).status, 303)
    const again = new PlainBrowser(site.origin)
    for (const cookie of [state, `${state}A`, `A${state}`, state.slice(0, -2), '']) {
      again.cookies.set('postern-external', cookie)
      assert.equal((await again.get(path)).status, 401)
    }
    const far = await browser.post('/.postern/external/start', {
      provider: 'good',
      back: `/?${'%22'.repeat(680)}`,
    })
    const line = far.headers.getSetCookie().find(one => one.startsWith('postern-external=')) ?? ''
    assert.ok(line.length > 200 && line.length <= 4_096, `${line.length}`)
  })

  test('a link that somebody else began ends nowhere', async t => {
    const { provider, site } = await twoSites(t)
    const attacker = await signUp(site, 'mallory@shop.example')
    const there = await signUp(provider, 'mallory@elsewhere.example')
    const path = await throughProvider(site, attacker, provider, there, ...LINKING)
    const victim = await signUp(site, 'alice@shop.example')
    victim.cookies.set('postern-external', attacker.cookies.get('postern-external') ?? '')
    assert.equal((await victim.get(path)).status, 401)
    assert.deepEqual(await site.identity.accounts.externalLogins((await whoIs(victim)).id), [])
  })

  test('a sign-in elsewhere is as fresh as the proof that was given there, and who signs in again gives one', async t => {
    let behind = 2 * 3_600_000
    const clock = { ...systemClock, now: () => systemClock.now() - behind }
    const { provider, site } = await twoSites(t, [], { clock })
    const there = await signUp(provider, 'alice@elsewhere.example')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, there, { provider: 'good' })
    assert.equal((await browser.get(path)).status, 303)
    assert.equal((await whoIs(browser)).kind, 'user')
    // Whoever sits down at her open browser: the provider says who she is, and asks for nothing.
    const changed = () => browser.post('/.postern/account/password', { password: 'another quiet river' })
    assert.match((await changed()).location, /\/step-up/)
    const again = (password?: string) =>
      throughProvider(site, browser, provider, there, { provider: 'good' }, password)
    await assert.rejects(again(), /stopped at \/\.postern\/step-up/, 'the provider asks her')
    behind = 0
    await browser.get(await again('a quiet river'))
    assert.equal((await changed()).status, 200)
  })

  test('nobody can make an account in advance for an address that is not theirs', async t => {
    const site = await startSite(t)
    await new PlainBrowser(site.origin).post('/.postern/sign-up', {
      email: 'alice@shop.example',
      password: 'a trap for alice',
    })
    await site.identity.close()
    assert.deepEqual(await site.identity.accounts.list(), [])
  })
})

describe('bug class: login-state cookie not bound to the provider', () => {
  test('what one provider sent back is not taken at the address of another', async t => {
    const asked: string[] = []
    const { provider, site } = await twoSites(t, asked)
    const there = await signUp(provider, 'mallory@elsewhere.example')
    const browser = new PlainBrowser(site.origin)
    const path = await throughProvider(site, browser, provider, there, { provider: 'good' })
    assert.equal((await browser.get(path.replace('/good?', '/other?'))).status, 401)
    // Nor is the code sent to the other one (the mix-up attack of RFC 9207).
    assert.deepEqual(asked, [])
    assert.equal((await browser.get(path)).status, 401)
  })

  test('an answer that was meant for another browser signs nobody in', async t => {
    const { provider, site } = await twoSites(t)
    const there = await signUp(provider, 'mallory@elsewhere.example')
    const path = await throughProvider(site, new PlainBrowser(site.origin), provider, there, {
      provider: 'good',
    })
    const victim = new PlainBrowser(site.origin)
    assert.equal((await victim.get(path)).status, 401)
    assert.equal((await whoIs(victim)).kind, 'anonymous')
  })
})

describe('bug class: device-flow binding', () => {
  test('a link with a code in it connects nothing by being opened, and a form of another browser neither', async t => {
    const clients = [
      {
        client_id: 'tv',
        client_name: 'TV',
        token_endpoint_auth_method: 'none' as const,
        application_type: 'native' as const,
        redirect_uris: [],
        response_types: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      },
    ]
    const site = await startSite(t, { oauth: { clients } })
    const program = new PlainBrowser(site.origin)
    const started = JSON.parse(
      (await program.post('/.postern/oauth/device/auth', { client_id: 'tv', scope: 'openid' })).text,
    )
    const poll = async () =>
      JSON.parse(
        (
          await program.post('/.postern/oauth/token', {
            client_id: 'tv',
            grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
            device_code: started.device_code,
          })
        ).text,
      ).error
    const victim = await signUp(site, 'alice@shop.example')
    const opened = await victim.get(`/.postern/oauth/device?user_code=${started.user_code}&confirm=yes`)
    assert.equal(opened.status, 200)
    assert.equal(await poll(), 'authorization_pending')
    const attacker = await signUp(site, 'mallory@shop.example')
    const form = await attacker.get('/.postern/oauth/device')
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
    const posted = { xsrf, user_code: started.user_code, confirm: 'yes' }
    assert.equal((await victim.post('/.postern/oauth/device', posted)).status, 400)
    // It asks too soon, and would get what it was allowed all the same.
    assert.equal(await poll(), 'slow_down')
  })
})

describe('bug class: a role that people give themselves', () => {
  test('the owner of an organisation of their own has no role of the site; operators give those', async t => {
    const site = await startSite(t)
    const mallory = await signUp(site, 'mallory@shop.example')
    const { id, roles: before } = await whoIs(mallory)
    assert.equal(before, undefined)
    await mallory.post('/.postern/organisations', { name: 'Mine' })
    const { tenant = '', roles } = await whoIs(mallory)
    assert.deepEqual(roles, ['tenant:owner'])
    const owner = await site.identity.accounts.byId(id)
    assert.ok(owner)
    await assert.rejects(site.identity.organisations.setRoles(owner, tenant, id, ['owner', 'site:owner']))
    assert.equal(await site.identity.accounts.setRoles(id, ['support', 'admin']), true)
    assert.equal(await site.identity.accounts.setRoles(id, ['admin', 'support']), false)
    assert.deepEqual((await whoIs(mallory)).roles, ['admin', 'support', 'tenant:owner'])
    await assert.rejects(site.identity.accounts.setRoles(id, ['tenant:owner']), /roles/)
    await site.identity.accounts.setRoles(id, [])
    assert.deepEqual((await whoIs(mallory)).roles, ['tenant:owner'])
  })
})

describe('bug class: authority from a stale cache', () => {
  test('a role that is taken away, a disabled account and a revoked session are gone with the next request', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    await alice.post('/.postern/organisations', { name: 'Acme' })
    const { tenant = '' } = await whoIs(alice)
    await alice.post('/.postern/organisations/invite', { id: tenant, email: 'bob@shop.example' })
    const token = new URL(await site.link()).searchParams.get('token') ?? ''
    const bob = await signUp(site, 'bob@shop.example')
    await bob.post('/.postern/invitation', { token })
    const owner = await site.identity.accounts.byId((await whoIs(alice)).id)
    const { id } = await whoIs(bob)
    assert.ok(owner)
    await site.identity.organisations.setRoles(owner, tenant, id, ['editor'])
    assert.deepEqual((await whoIs(bob)).roles, ['tenant:editor'])
    await site.identity.organisations.remove(owner, tenant, id)
    assert.equal((await whoIs(bob)).tenant, undefined)
    await site.identity.accounts.disable(id)
    assert.equal((await whoIs(bob)).kind, 'anonymous')
    await site.identity.accounts.enable(id)
    assert.equal((await whoIs(bob)).kind, 'user')
    await site.identity.sessions.revokeAll(id)
    assert.equal((await whoIs(bob)).kind, 'anonymous')
  })
})

describe('bug class: state-changing GET, and posts from elsewhere', () => {
  test('no page does anything when it is fetched, and every post of another site is refused', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const posts = [
      'sign-out',
      'keys',
      'sessions/revoke-others',
      'account/password',
      'account/email',
      'account/delete',
      'account/export',
      'account/authenticator',
      'organisations',
      'passkey/register-options',
    ]
    for (const path of posts) {
      const answer = await alice.get(
        `/.postern/${path}?sure=yes&name=x&password=another+river&email=x%40y.example`,
      )
      assert.ok([200, 303, 405].includes(answer.status), path)
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'none' },
        { 'sec-fetch-site': '' },
      ] as const)
        assert.equal(
          (await alice.post(`/.postern/${path}`, { sure: 'yes', name: 'x' }, headers)).status,
          403,
          path,
        )
    }
    assert.equal((await whoIs(alice)).kind, 'user')
    assert.equal((await site.identity.apiKeys.listAll()).length, 0)
  })

  test('without Fetch Metadata the Origin decides, and without both the token in the form', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const form = (await alice.get('/.postern/organisations')).text
    const csrf = /name="csrf" value="([^"]+)"/.exec(form)?.[1] ?? ''
    const raw = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) =>
      fetch(`${site.origin}/.postern/organisations`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ name: 'Acme', ...fields }).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: [...alice.cookies].map(pair => pair.join('=')).join('; '),
          ...headers,
        },
      })
    // fetch of node sends `Sec-Fetch-Mode`, and no `Sec-Fetch-Site`.
    assert.equal((await raw({}, {})).status, 403)
    assert.equal((await raw({}, { cookie: '' })).status, 403)
    assert.equal((await raw({ csrf: '' }, { cookie: '' })).status, 403)
    assert.equal((await raw({ csrf: 'x' }, {})).status, 403)
    assert.equal((await raw({ csrf }, { origin: 'https://evil.example' })).status, 403)
    assert.equal((await raw({ csrf }, { origin: 'null' })).status, 403)
    assert.equal((await raw({}, { origin: site.origin })).status, 303)
    assert.equal((await raw({ csrf }, {})).status, 303)
    const mallory = await signUp(site, 'mallory@shop.example')
    const theirs =
      /name="csrf" value="([^"]+)"/.exec((await mallory.get('/.postern/organisations')).text)?.[1] ?? ''
    assert.equal((await raw({ csrf: theirs }, {})).status, 403)
  })
})

describe('bug class: e-mail checked before Unicode normalisation', () => {
  test('what is stored is what was checked', () => {
    assert.equal(parseEmail('alice\uff20shop.example'), 'alice@shop.example')
    assert.equal(parseEmail('ALICE@SHOP.EXAMPLE'), 'alice@shop.example')
    assert.equal(parseEmail('alice@\uff53hop.example'), 'alice@shop.example')
    assert.equal(parseEmail('alice@b\u00fccher.example'), 'alice@xn--bcher-kva.example')
    for (const text of [
      'al\u0131ce@shop.example',
      'mike\u0141@shop.example',
      'a@b\uff20c.example',
      'alice@shop.example\r\nBcc: x@evil.example',
      'alice@shop.example,bob@shop.example',
      'alice@shop.example>',
      'alice @shop.example',
      '"alice"@shop.example',
      'alice@shop',
      '@shop.example',
      'alice@',
      'a..b@shop.example',
      'alice@[127.0.0.1]',
      '',
      `${'a'.repeat(65)}@shop.example`,
    ])
      assert.equal(parseEmail(text), undefined, JSON.stringify(text))
  })

  test('a mail for an account goes to the address that is stored', async t => {
    const site = await startSite(t)
    await signUp(site, 'mike@shop.example')
    site.mails.length = 0
    const browser = new PlainBrowser(site.origin)
    await browser.post('/.postern/recover', { email: 'mi\u212ae@shop.example' })
    await browser.post('/.postern/recover', { email: 'm\u0131ke@shop.example' })
    await site.identity.close()
    for (const { to } of site.mails) assert.equal(to, 'mike@shop.example')
  })
})

describe('bug class: malformed header that fails open', () => {
  test('a request with a bad key is refused, though its cookie is good', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    for (const headers of [
      { 'x-api-key': '' },
      { 'x-api-key': 'x' },
      { authorization: `Bearer postern_live_${'a'.repeat(12)}_x_y` },
      { 'x-api-key': 'postern_live_a, postern_live_b' },
    ] as const)
      assert.equal((await alice.get('/', headers)).status, 401, JSON.stringify(headers))
  })

  test('two session cookies count as no session: one may have been planted', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const token = alice.cookies.get('postern-session') ?? ''
    const answer = await fetch(site.origin, {
      headers: { cookie: `postern-session=planted; postern-session=${token}` },
    })
    assert.equal(JSON.parse(await answer.text()).kind, 'anonymous')
  })
})

describe('bug class: empty secret accepted', () => {
  test('a missing or short secret is refused at the start', () => {
    for (const secret of ['', ' ', 'secret', 'x'.repeat(31), new Uint8Array(0)])
      assert.throws(() => new IdentitySecret(secret), ConfigError)
  })

  test('an account without a password cannot be entered with an empty one', async t => {
    const site = await startSite(t)
    const email = parseEmail('alice@shop.example')
    assert.ok(email)
    await site.identity.accounts.create({ email, emailVerified: 'yes' })
    for (const password of ['', 'null', 'undefined'])
      assert.equal(
        (await new PlainBrowser(site.origin).post('/.postern/sign-in', { email, password })).status,
        401,
      )
    assert.equal((await new PlainBrowser(site.origin).post('/.postern/sign-in', {})).status, 401)
  })
})

describe('bug class: half-authenticated session enrols a factor', () => {
  test('who has shown the password only can add, remove or renew no factor', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    await enrol(await signUp(site, 'alice@shop.example'), clock)
    const thief = new PlainBrowser(site.origin)
    await thief.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    assert.ok(thief.cookies.has('postern-second-factor'))
    // Nor does the token of the half work as a session's.
    thief.cookies.set('postern-session', thief.cookies.get('postern-second-factor') ?? '')
    for (const path of [
      'account/authenticator',
      'account/authenticator/remove',
      'account/recovery-codes',
      'passkey/remove',
      'keys',
      'account/password',
    ])
      assert.match(
        (await thief.post(`/.postern/${path}`, { name: 'x', password: 'another river' })).location,
        /^\/\.postern\/sign-in/,
        path,
      )
    assert.equal((await thief.postJson('/.postern/passkey/register-options', {})).status, 401)
    assert.equal((await whoIs(thief)).kind, 'anonymous')
  })

  test('an impersonator cannot either', async t => {
    const site = await startSite(t, { mayImpersonate: staff => staff.id === 'support' })
    const alice = await signUp(site, 'alice@shop.example')
    const { id } = await whoIs(alice)
    const context = { address: '192.0.2.7', agent: 'x', reason: 'ticket 7' }
    await assert.rejects(site.identity.impersonate({ kind: 'user', id: 'mallory' }, id, context))
    await assert.rejects(
      site.identity.impersonate({ kind: 'user', id: 'support' }, id, { ...context, reason: ' ' }),
    )
    const { token } = await site.identity.impersonate({ kind: 'user', id: 'support' }, id, context)
    const support = new PlainBrowser(site.origin)
    support.cookies.set('postern-session', token)
    assert.equal((await whoIs(support)).actor, 'user:support')
    for (const path of [
      'account/password',
      'account/email',
      'account/authenticator',
      'keys',
      'account/export',
      'account/delete',
    ])
      assert.equal(
        (await support.post(`/.postern/${path}`, { name: 'x', password: 'another river', sure: 'yes' }))
          .status,
        403,
        path,
      )
    assert.equal((await support.get('/.postern/step-up')).status, 403)
    assert.ok(
      site.events.some(
        ({ type, data }) => type === 'impersonation.started' && data?.['reason'] === 'ticket 7',
      ),
    )
    assert.match((await alice.get('/.postern/sessions')).text, /support acting for you/)
  })
})

describe('somebody who acts for a user', () => {
  test('signs the owner out nowhere, and joins, makes and invites into no organisation in their name', async t => {
    const site = await startSite(t, { mayImpersonate: staff => staff.id === 'support' })
    const alice = await signUp(site, 'alice@shop.example')
    const { id } = await whoIs(alice)
    const bob = await signUp(site, 'bob@shop.example')
    await bob.post('/.postern/organisations', { name: 'Acme' })
    const { tenant = '' } = await whoIs(bob)
    await bob.post('/.postern/organisations/invite', { id: tenant, email: 'alice@shop.example' })
    const invitation = new URL(await site.link()).searchParams.get('token') ?? ''
    const context = { address: '192.0.2.7', agent: 'x', reason: 'ticket 7' }
    const { token } = await site.identity.impersonate({ kind: 'user', id: 'support' }, id, context)
    const support = new PlainBrowser(site.origin)
    support.cookies.set('postern-session', token)
    const sessions = await site.identity.sessions.list(id)
    const own = sessions.find(({ impersonator }) => impersonator === undefined)
    for (const [path, fields] of Object.entries({
      'sessions/revoke': { id: own?.id ?? '' },
      'sessions/revoke-others': {},
      invitation: { token: invitation },
      organisations: { name: 'of support' },
      'organisations/invite': { id: tenant, email: 'support@evil.example' },
    }))
      assert.equal((await support.post(`/.postern/${path}`, fields)).status, 403, path)
    assert.equal((await whoIs(alice)).kind, 'user', 'the owner is signed in')
    assert.deepEqual(await site.identity.organisations.ofAccount(id), [])
    assert.equal((await alice.post('/.postern/invitation', { token: invitation })).status, 303)
  })
})

describe('bug class: session fixation', () => {
  test('signing in gives a token of its own, and the one from before is dead', async t => {
    const site = await startSite(t)
    const mallory = await signUp(site, 'mallory@shop.example')
    const planted = mallory.cookies.get('postern-session') ?? ''
    await signUp(site, 'alice@shop.example')
    const victim = new PlainBrowser(site.origin)
    victim.cookies.set('postern-session', planted)
    await victim.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    assert.notEqual(victim.cookies.get('postern-session'), planted)
    assert.equal((await whoIs(mallory)).kind, 'anonymous')
    assert.equal(await site.identity.sessions.find(planted, address('192.0.2.7')), undefined)
  })

  test('cookies are bound to this host and hidden from scripts', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const answer = await new PlainBrowser(site.origin).post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'a quiet river',
    })
    const cookie = answer.headers.getSetCookie().find(line => line.includes('session=')) ?? ''
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Lax/)
    const { cookieJar } = await import('../src/session/cookies.ts')
    assert.match(
      cookieJar('https').set('session', 'x', 60),
      /^__Host-postern-session=x; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=60$/,
    )
  })
})

describe('bug class: a confirmation that confirms something else', () => {
  test('a passkey confirms one act, once, for the session that asked', async t => {
    const site = await startSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const passkey = new SoftPasskey(site.origin)
    const offer = JSON.parse((await alice.postJson('/.postern/passkey/register-options', {})).text)
    assert.equal(
      (await alice.postJson('/.postern/passkey/register?name=Laptop', passkey.create(offer))).status,
      200,
    )
    const { id } = await whoIs(alice)
    const act = {
      actor: `user:${id}`,
      action: 'orders.delete',
      resource: 'order/1',
      arguments: { why: 'test' },
    }
    const ask = async (browser: PlainBrowser, asked: typeof act) => {
      const cookie = browser.cookies.get('postern-session') ?? ''
      const exchange = site.engine.open({
        method: 'DELETE',
        target: '/orders/1',
        headers: ['cookie', `postern-session=${cookie}`],
        peer: '127.0.0.1',
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      const principal = await site.identity.identify(exchange)
      if (principal !== undefined) exchange.setPrincipal(principal)
      return site.identity.stepUp.check(exchange, { within: 0, act: asked })
    }
    const before = (await site.identity.sessions.list(id)).length
    const challenge = await ask(alice, act)
    assert.ok('location' in challenge)
    assert.match(challenge.authenticate, /^Bearer error="insufficient_user_authentication"/)
    const query = challenge.location.slice(challenge.location.indexOf('?'))
    const offered = JSON.parse((await alice.postJson(`/.postern/confirm/options${query}`, {})).text)
    // Another session of the same account cannot answer, or use, this question.
    const second = new PlainBrowser(site.origin)
    await second.post('/.postern/sign-in', { email: 'alice@shop.example', password: 'a quiet river' })
    assert.equal(
      (await second.postJson(`/.postern/confirm/answer${query}`, passkey.get(offered))).status,
      401,
    )
    assert.equal(
      (await alice.postJson(`/.postern/confirm/answer${query}`, passkey.get(offered, 0x01))).status,
      401,
    )
    assert.equal((await alice.postJson(`/.postern/confirm/answer${query}`, passkey.get(offered))).status, 200)
    assert.ok('location' in (await ask(second, act)))
    assert.ok('location' in (await ask(alice, { ...act, resource: 'order/2' })))
    assert.ok('location' in (await ask(alice, { ...act, arguments: { why: 'another' } })))
    const [one, two] = await Promise.all([ask(alice, act), ask(alice, act)])
    const proofs = [one, two].filter(said => 'amr' in said)
    assert.equal(proofs.length, 1)
    assert.ok('location' in (await ask(alice, act)))
    assert.equal((await site.identity.sessions.list(id)).length, before + 1)
    const { verifyConfirmation } = await import('../src/step-up/verify-confirmation.ts')
    const proof = proofs[0]
    assert.ok(proof !== undefined && 'amr' in proof && proof.confirmation)
    const place = { origin: site.origin, rpId: 'localhost' }
    assert.equal((await verifyConfirmation(proof.confirmation, act, place))?.credentialId, passkey.id)
    assert.equal(
      await verifyConfirmation(proof.confirmation, { ...act, resource: 'order/2' }, place),
      undefined,
    )
    assert.equal(
      await verifyConfirmation(proof.confirmation, act, { ...place, origin: 'https://evil.example' }),
      undefined,
    )
  })
})
