import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as plainRequest, type RequestOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { identityDatabase } from '../src/database/identity-database.ts'
import { migrateIdentity } from '../src/database/identity-migrations.sql.ts'
import { publicFetch } from '../src/oauth/public-fetch.ts'
import { OauthStore } from '../src/oauth/store/oauth-store.ts'
import {
  API,
  allow,
  asBearer,
  CALLBACK,
  CLIENTS,
  codeFlow,
  discover,
  oauthSite,
  PARTNER,
  replays,
} from './oauth-site.ts'
import { PlainBrowser, signUp, startSite } from './site.ts'
import { testSecret } from './support.ts'

describe('the OAuth server, with openid-client', () => {
  test('code with PKCE: consent says who asks for what, and the token names the person and the client', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange, pages } = await codeFlow(browser, config, 'openid email offline_access orders:read')
    assert.match(pages[0] ?? '', /Web &#60;b&#62;client/)
    assert.match(pages[0] ?? '', /orders:read/)
    assert.match(pages[0] ?? '', /127\.0\.0\.1:8765/)
    const tokens = await exchange()
    assert.ok(tokens.claims()?.sub)
    const principal = await asBearer(site, tokens.access_token)
    assert.equal(principal.id, tokens.claims()?.sub)
    assert.deepEqual(principal.scopes, ['orders:read'])
    assert.equal(principal.actor, 'service:web')
  })

  test('its metadata is where RFC 8414 and OpenID Connect put that of an issuer with a path', async t => {
    const site = await oauthSite(t)
    const issuer = new URL(`${site.origin}/.postern/oauth`)
    for (const algorithm of ['oauth2', 'oidc'] as const) {
      const answer = await oauth.discoveryRequest(issuer, { algorithm, [oauth.allowInsecureRequests]: true })
      const found = await oauth.processDiscoveryResponse(issuer, answer)
      assert.equal(found.token_endpoint, `${issuer}/token`)
      assert.equal(found.authorization_endpoint, `${issuer}/auth`)
      assert.equal(found.jwks_uri, `${issuer}/jwks`)
    }
    const at = (path: string): Promise<Response> => fetch(`${site.origin}${path}`)
    const before = await at('/.well-known/openid-configuration/.postern/oauth?x=1')
    assert.equal(((await before.json()) as { issuer: string }).issuer, issuer.href)
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/other',
      // The same path in another spelling, which the server would take for one of its endpoints.
      '/.well-known/%6fauth-authorization-server/.postern/oauth',
    ])
      assert.notEqual((await at(path)).headers.get('content-type'), 'application/json; charset=utf-8', path)
  })

  test('bug class: redeem and rotate races: a code works once; two uses at once are one, and the replay revokes what came of it', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange } = await codeFlow(browser, config, 'openid orders:read')
    const results = await Promise.allSettled([exchange(), exchange(), exchange()])
    const won = results.flatMap(result => (result.status === 'fulfilled' ? [result.value.access_token] : []))
    assert.ok(won.length <= 1)
    await assert.rejects(exchange())
    for (const token of won) assert.equal((await asBearer(site, token)).kind, 'anonymous')
    assert.deepEqual(replays(site), [{ client: 'web', why: 'replayed' }])
  })

  test('bug class: redeem and rotate races: a refresh token is rotated, and using the old one again revokes the new one too', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange } = await codeFlow(browser, config, 'openid offline_access orders:read')
    const first = await exchange()
    const second = await openid.refreshTokenGrant(config, first.refresh_token ?? '')
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.equal((await asBearer(site, second.access_token)).kind, 'user')
    await assert.rejects(openid.refreshTokenGrant(config, first.refresh_token ?? ''))
    await assert.rejects(openid.refreshTokenGrant(config, second.refresh_token ?? ''))
    assert.equal((await asBearer(site, second.access_token)).kind, 'anonymous')
    assert.deepEqual(replays(site), [{ client: 'web', why: 'replayed' }])
  })

  test('people see what they allowed, and take it back; nobody takes back for another', async t => {
    const site = await oauthSite(t)
    const alice = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange } = await codeFlow(alice, config, 'openid offline_access orders:read')
    const tokens = await exchange()
    const page = (await alice.get('/.postern/grants')).text
    assert.match(page, /Web &#60;b&#62;client&#60;\/b&#62;/)
    assert.match(page, /orders:read/)
    assert.match(page, /href="\/\.postern\/grants" aria-current="page"/)
    const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const mallory = await signUp(site, 'mallory@shop.example')
    assert.doesNotMatch((await mallory.get('/.postern/grants')).text, /Web/)
    await mallory.post('/.postern/grants/revoke', { id })
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'user')
    assert.equal((await alice.get(`/.postern/grants/revoke?id=${id}`)).status, 405)
    assert.equal((await alice.post('/.postern/grants/revoke', { id })).status, 303)
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'anonymous')
    await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token ?? ''))
    assert.doesNotMatch((await alice.get('/.postern/grants')).text, /orders:read/)
    // Where there is no OAuth server, there is nothing to allow.
    const plain = await startSite(t)
    const bob = await signUp(plain, 'bob@shop.example')
    assert.doesNotMatch((await bob.get('/.postern/keys')).text, /\/grants/)
  })

  test('introspection and revocation', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange } = await codeFlow(browser, config, 'openid orders:read')
    const tokens = await exchange()
    const seen = await openid.tokenIntrospection(config, tokens.access_token)
    assert.equal(seen.active, true)
    assert.equal(seen.scope, 'orders:read')
    await openid.tokenRevocation(config, tokens.access_token)
    assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, false)
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'anonymous')
  })

  test('attack: an API elsewhere sends the token that it was given to this site, where it is nobody', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const tokens = await (await codeFlow(browser, config, 'openid parcels:read', PARTNER)).exchange()
    const seen = await openid.tokenIntrospection(config, tokens.access_token)
    assert.equal(seen.active, true)
    assert.equal(seen.aud, PARTNER)
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'anonymous')
    const batch = await discover(site, 'batch', CLIENTS[2]?.client_secret)
    const service = await openid.clientCredentialsGrant(batch, { scope: 'parcels:read', resource: PARTNER })
    assert.equal((await asBearer(site, service.access_token)).kind, 'anonymous')
  })

  test('attack: a program that was allowed to sign somebody in calls the API in their name', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const tokens = await (await codeFlow(browser, config, 'openid email')).exchange()
    assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, true)
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'anonymous')
  })

  test('client credentials', async t => {
    const site = await oauthSite(t)
    const config = await discover(site, 'batch', CLIENTS[2]?.client_secret)
    const tokens = await openid.clientCredentialsGrant(config, { scope: 'orders:write', resource: API })
    assert.deepEqual(await asBearer(site, tokens.access_token), {
      kind: 'service',
      id: 'batch',
      scopes: ['orders:write'],
    })
  })

  test('the device flow: the person sees the code and the client, and who they are when they allow it', async t => {
    const site = await oauthSite(t)
    const config = await discover(site, 'native')
    const started = await openid.initiateDeviceAuthorization(config, {
      scope: 'openid orders:read',
      resource: API,
    })
    assert.match(started.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
    const browser = await signUp(site, 'alice@shop.example')
    const device = new URL(started.verification_uri).pathname
    const form = await browser.get(device)
    const xsrf = (text: string): string => /name="xsrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
    const wrong = await browser.post(device, { xsrf: xsrf(form.text), user_code: 'BBBB-BBBB' })
    assert.match(wrong.text, /not right/)
    const shown = await browser.post(device, { xsrf: xsrf(wrong.text), user_code: started.user_code })
    assert.match(shown.text, new RegExp(started.user_code))
    assert.match(shown.text, /Native client/)
    const confirmed = await browser.post(device, {
      xsrf: xsrf(shown.text),
      user_code: started.user_code,
      confirm: 'yes',
    })
    let next = confirmed.location
    let last = confirmed
    for (let i = 0; i < 10 && next !== ''; i++) {
      const path = new URL(next, site.origin).pathname + new URL(next, site.origin).search
      last = await browser.get(path)
      if (last.status === 200 && /name="decision"/.test(last.text))
        last = await browser.post(path, { decision: 'allow' })
      next = last.location
    }
    assert.match(last.text, /connected/)
    const tokens = await openid.pollDeviceAuthorizationGrant(
      config,
      { ...started, interval: 0 },
      { resource: API },
    )
    assert.deepEqual((await asBearer(site, tokens.access_token)).scopes, ['orders:read'])
  })

  test('attack: a page on a subdomain plants a session of its own and confirms the code of its device in it', async t => {
    const site = await oauthSite(t)
    const config = await discover(site, 'native')
    const confirm = async (path: string, headers: Readonly<Record<string, string>>): Promise<string> => {
      const started = await openid.initiateDeviceAuthorization(config, { scope: 'openid' })
      const mallory = new PlainBrowser(site.origin)
      const form = await mallory.get(new URL(started.verification_uri).pathname)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
      for (const [name, value] of mallory.cookies) alice.cookies.set(name, value)
      const fields = { xsrf, user_code: started.user_code, confirm: 'yes' }
      return (await alice.post(`/.postern/oauth/${path}`, fields, headers)).location
    }
    const alice = await signUp(site, 'alice@shop.example')
    for (const path of ['device', 'device/', 'DEVICE', '%64evice'])
      for (const from of ['same-site', 'cross-site', 'none'])
        assert.equal(await confirm(path, { 'sec-fetch-site': from }), '', `${path} from ${from}`)
    assert.match(await confirm('device', {}), /consent/, 'a page of the site')
  })

  test('a device code works for the client that it was made for, and for no other', async t => {
    const site = await oauthSite(t)
    const started = await openid.initiateDeviceAuthorization(await discover(site, 'native'), {
      scope: 'openid',
    })
    const redeem = async (client: string): Promise<unknown> => {
      const answer = await fetch(`${site.origin}/.postern/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          device_code: started.device_code,
          client_id: client,
        }),
      })
      return ((await answer.json()) as { readonly error?: string }).error
    }
    assert.equal(await redeem('tv'), 'invalid_grant')
    assert.equal(await redeem('native'), 'authorization_pending')
  })

  test('a parameter that is sent twice gives no code, and sends nobody elsewhere', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const query = new URLSearchParams({ client_id: 'web', response_type: 'code', scope: 'openid' })
    query.append('redirect_uri', CALLBACK)
    query.append('redirect_uri', 'https://evil.example/')
    const answer = await browser.get(`/.postern/oauth/auth?${query}`)
    const { origin, pathname, searchParams } = new URL(answer.location)
    assert.equal(origin + pathname, CALLBACK)
    assert.equal(searchParams.get('error'), 'invalid_request')
    assert.equal(searchParams.get('code'), null)
  })

  test('what a client pushed is in no cookie of the browser', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const pushed = await openid.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK,
      scope: 'openid',
      state: 'a-state-that-nobody-sees',
      login_hint: 'somebody@shop.example',
      code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    })
    const first = await browser.get(pushed.pathname + pushed.search)
    assert.equal(first.status, 303)
    const cookies = [...browser.cookies.values()].map(value => decodeURIComponent(value)).join(' ')
    const decoded = cookies.replace(/[\w-]{8,}/g, text => `${text} ${Buffer.from(text, 'base64url')}`)
    assert.doesNotMatch(decoded, /nobody-sees|somebody@|127\.0\.0\.1:8765/)
  })

  test('pushed authorization requests', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const verifier = openid.randomPKCECodeVerifier()
    const state = openid.randomState()
    const pushed = await openid.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK,
      scope: 'openid',
      state,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    assert.match(pushed.searchParams.get('request_uri') ?? '', /^urn:ietf:params:oauth:request_uri:/)
    const { url } = await allow(browser, pushed)
    const tokens = await openid.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    })
    assert.ok(tokens.claims()?.sub)
  })

  test('DPoP: the token is bound to the key, and a bearer cannot use it', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'native')
    const verifier = openid.randomPKCECodeVerifier()
    const state = openid.randomState()
    const start = openid.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid orders:read',
      resource: API,
      state,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const { url } = await allow(browser, start)
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const tokens = await openid.authorizationCodeGrant(
      config,
      url,
      { pkceCodeVerifier: verifier, expectedState: state },
      { resource: API },
      { DPoP },
    )
    assert.equal(tokens.token_type, 'dpop')
    assert.equal((await asBearer(site, tokens.access_token)).kind, 'anonymous')
  })

  test('attack: a page that posts an answer to a client is framed, and a client\u2019s state is script', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const { status, text, headers } = await browser.get(
      `/.postern/oauth/auth?${new URLSearchParams({
        ...{
          client_id: 'web',
          redirect_uri: CALLBACK,
          scope: 'openid',
          response_type: 'code',
          prompt: 'none',
        },
        ...{ response_mode: 'form_post', state: '"><script>alert(1)</script>' },
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      })}`,
    )
    assert.equal(status, 400)
    const [, own = ''] = /<script>([\s\S]*?)<\/script>/.exec(text) ?? []
    assert.match(own, /forms\[0\]\.submit/)
    assert.equal(text.match(/<script/g)?.length, 1)
    const hash = createHash('sha256').update(own).digest('base64')
    assert.equal(
      headers.get('content-security-policy'),
      `default-src 'none'; script-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
    )
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
  })

  test('pages of a client may read its tokens from another origin, and no other pages may', async t => {
    const site = await oauthSite(t)
    const ask = async (client: string, origin: string) => {
      const answer = await fetch(`${site.origin}/.postern/oauth/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ grant_type: 'authorization_code', client_id: client, code: 'x' }),
      })
      const { error_description: why } = (await answer.json()) as { readonly error_description?: string }
      return [/origin .* not allowed/.test(why ?? ''), answer.headers.get('access-control-allow-origin')]
    }
    const own = new URL(CALLBACK).origin
    assert.deepEqual(await ask('native', own), [false, own])
    for (const [client, origin] of [
      ['native', 'https://evil.example'],
      ['native', 'null'],
      ['native', 'http://127.0.0.1:8766'],
      ['tv', own],
    ] as const)
      assert.equal((await ask(client, origin))[0], true, `${client} ${origin}`)
  })

  test('refuses what OAuth 2.1 does not have: no PKCE, plain PKCE, implicit, another redirect URI', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const base = {
      client_id: 'web',
      redirect_uri: CALLBACK,
      scope: 'openid',
      response_type: 'code',
      state: 'x',
    }
    const challenge = {
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }
    const ask = (fields: Readonly<Record<string, string>>) =>
      browser.get(`/.postern/oauth/auth?${new URLSearchParams({ ...base, ...fields })}`)
    const errorOf = (location: string): string => new URL(location).searchParams.get('error') ?? ''
    assert.equal(errorOf((await ask({})).location), 'invalid_request')
    assert.equal(
      errorOf((await ask({ ...challenge, code_challenge_method: 'plain' })).location),
      'invalid_request',
    )
    assert.equal(
      (await ask({ ...challenge, response_type: 'token' })).location.includes('access_token'),
      false,
    )
    for (const redirect_uri of [
      `${CALLBACK}/../evil`,
      `${CALLBACK}?x=1`,
      'https://evil.example/callback',
      `${CALLBACK}#x`,
      'http://127.0.0.1:8765@evil.example/callback',
    ]) {
      const answer = await ask({ ...challenge, redirect_uri })
      assert.equal(answer.status, 400, redirect_uri)
      assert.equal(answer.location, '')
    }
    assert.equal((await ask({ ...challenge })).status, 303)
  })

  test('who does not allow it gives the client an error and nothing else', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const start = openid.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid',
      state: 'x',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    const { url } = await allow(browser, start, 'deny')
    assert.equal(url.searchParams.get('error'), 'access_denied')
    assert.equal(url.searchParams.get('code'), null)
  })

  test('is asked to sign in again after signing out, though the server had a session of its own', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange } = await codeFlow(browser, config, 'openid')
    await exchange()
    await browser.post('/.postern/sign-out')
    const start = openid.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid',
      state: 'x',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    const asked = await browser.get(start.pathname + start.search)
    const consent = await browser.get(asked.location)
    assert.match(consent.location, /^\/\.postern\/sign-in\?back=/)
  })

  test('a copy of the database holds no token that works', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const site = await startSite(t, {
      database,
      oauth: { clients: CLIENTS, resources: { [API]: { scopes: ['orders:read'] } } },
    })
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    const { exchange, url } = await codeFlow(browser, config, 'openid offline_access orders:read')
    const tokens = await exchange()
    const rows = JSON.stringify(database.db.prepare('SELECT * FROM oauth_record').all())
    assert.ok(rows.length > 100)
    for (const secret of [
      tokens.access_token,
      tokens.refresh_token ?? 'none',
      url.searchParams.get('code') ?? 'none',
    ])
      assert.ok(!rows.includes(secret))
  })

  test('what strangers have it keep is marked with the network that they come from, and names no address', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const site = await startSite(t, {
      database,
      oauth: { clients: CLIENTS, resources: { [API]: { scopes: ['orders:read'] } } },
    })
    const send = (localAddress: string, method: string, path: string, form?: Record<string, string>) =>
      new Promise<void>((resolve, reject) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const sent = plainRequest(
          { host: '127.0.0.1', port: site.port, localAddress, method, path, headers },
          answer => {
            answer.resume()
            answer.on('end', resolve)
          },
        )
        sent.on('error', reject)
        sent.end(form === undefined ? undefined : new URLSearchParams(form).toString())
      })
    const ask = {
      ...{ client_id: 'native', redirect_uri: CALLBACK, response_type: 'code', scope: 'openid' },
      ...{ code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' },
    }
    for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.2']) {
      await send(address, 'GET', `/.postern/oauth/auth?${new URLSearchParams(ask)}`)
      await send(address, 'POST', '/.postern/oauth/request', ask)
      await send(address, 'POST', '/.postern/oauth/device/auth', { client_id: 'tv' })
    }
    for (const model of ['Interaction', 'PushedAuthorizationRequest', 'DeviceCode']) {
      const rows = database.db
        .prepare(
          'SELECT network, COUNT(*) AS n FROM oauth_record WHERE model = ? GROUP BY network ORDER BY n',
        )
        .all(model)
      assert.deepEqual(
        rows.map(({ n }) => n),
        [1, 2],
        model,
      )
      assert.ok(
        rows.every(({ network }) => /^[\w-]{43}$/.test(String(network))),
        model,
      )
    }
  })
})

describe('the OAuth server, with oauth4webapi', () => {
  test('code with PKCE, and the issuer of the answer is checked', async t => {
    const site = await oauthSite(t)
    const browser = await signUp(site, 'alice@shop.example')
    const issuer = new URL(`${site.origin}/.postern/oauth`)
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, insecure),
    )
    assert.equal(server.authorization_response_iss_parameter_supported, true)
    const client = { client_id: 'native' }
    const verifier = oauth.generateRandomCodeVerifier()
    const start = new URL(server.authorization_endpoint ?? '')
    const challenge = await oauth.calculatePKCECodeChallenge(verifier)
    start.search = new URLSearchParams({
      client_id: 'native',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid',
      state: 's',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString()
    const { url } = await allow(browser, start)
    const parameters = oauth.validateAuthResponse(server, client, url, 's')
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      CALLBACK,
      verifier,
      insecure,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
      requireIdToken: true,
    })
    assert.ok(oauth.getValidatedIdTokenClaims(tokens)?.sub)
  })
})

describe('bug class: SSRF by provider registration', () => {
  for (const [host, addresses] of [
    ['loopback', ['127.0.0.1']],
    ['a private network', ['10.0.0.7']],
    ['the metadata service of a cloud', ['169.254.169.254']],
    ['loopback of IPv6', ['::1']],
    ['loopback as IPv4 in IPv6', ['::ffff:127.0.0.1']],
    ['a private network through NAT64', ['64:ff9b::a00:7']],
    ['one public and one private address', ['93.184.215.14', '192.168.0.1']],
    ['no address at all', []],
  ] as const) {
    test(`a client's URL that resolves to ${host} is not fetched`, async () => {
      await assert.rejects(
        publicFetch('https://client.example/metadata', { resolve: async () => addresses }),
        /public internet/,
      )
    })
  }

  test('nor is one whose name server does not answer: the time of a fetch is that of its name too', async () => {
    let isStopped = false
    const never = (_host: string, signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => {
        isStopped = true
      })
      return new Promise(() => undefined)
    }
    // Else nothing would keep this process while it waits.
    const kept = setInterval(() => undefined, 1_000)
    const fetched = publicFetch('https://client.example/metadata', { resolve: never, timeout: 20 })
    await assert.rejects(fetched, /not resolved in time/)
    clearInterval(kept)
    assert.ok(isStopped)
  })

  test('attack: no answer of a client that is a URL ends the process', async t => {
    const answers = createServer((request, response) => {
      const status = Number(request.url?.slice(1))
      response.socket?.end(`HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`)
    }).listen(0, '127.0.0.1')
    await once(answers, 'listening')
    t.after(() => answers.close())
    const { port } = answers.address() as AddressInfo
    // The answer comes from here, whatever public address was found.
    t.mock.method(process.getBuiltinModule('node:https'), 'request', (url: URL, { signal }: RequestOptions) =>
      plainRequest({ port, host: '127.0.0.1', agent: false, path: url.pathname, signal }),
    )
    const fetched = (status: number): Promise<Response> =>
      publicFetch(`https://client.example/${status}`, { resolve: async () => ['93.184.216.34'] })
    for (const status of [204, 205, 304, 600, 999])
      await assert.rejects(fetched(status), new RegExp(`status ${status}`))
    for (const status of [200, 302, 404, 599]) assert.equal((await fetched(status)).status, status)
  })

  test('nor is one with an address in it, of another scheme, or with credentials', async () => {
    for (const url of [
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://0x7f000001/',
      'https://2130706433/',
      'http://client.example/',
      'https://user@client.example/',
      'file:///etc/passwd',
    ])
      await assert.rejects(publicFetch(url, { resolve: async () => ['127.0.0.1'] }))
  })
})

describe('what outlives a session', () => {
  test('attack: who stole a session allows a program of their own to act in its name', async t => {
    const clock = new VirtualClock(Date.now())
    const site = await startSite(t, {
      clock,
      oauth: { clients: CLIENTS, resources: { [API]: { scopes: ['orders:read'] } } },
    })
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'web', CLIENTS[0]?.client_secret)
    clock.advance(601_000)
    await assert.rejects(codeFlow(browser, config, 'openid offline_access orders:read'), /too many|stopped/)
    const asked = openid.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'orders:read',
      resource: API,
      prompt: 'consent',
      code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    })
    let next = asked.pathname + asked.search
    for (let i = 0; i < 8 && !next.includes('/step-up'); i++) {
      const answer = await browser.get(next)
      assert.notEqual(answer.status, 200, 'the page of consent was shown')
      next = answer.location.replace(site.origin, '')
    }
    const back = new URL(next, site.origin).searchParams.get('back') ?? ''
    assert.match(back, /^\/\.postern\/oauth\/consent\//)
    assert.match((await browser.post(back, { decision: 'allow' })).location, /\/step-up\?back=/)
  })

  test('attack: a token that is written down after its grant was revoked', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    await migrateIdentity(database)
    const parts = { database: identityDatabase(database), secret: testSecret(), clock: new VirtualClock() }
    const store = new OauthStore(parts, () => new Error('replayed'))
    const [grants, refresh, access] = ['Grant', 'RefreshToken', 'AccessToken'].map(model =>
      store.adapter(model),
    )
    const of = { grantId: 'grant', accountId: 'alice' }
    await grants?.upsert('grant', { accountId: 'alice' }, 600)
    await refresh?.upsert('refresh', of, 600)
    await access?.upsert('first', of, 600)
    assert.ok(await access?.find('first'))
    // The same refresh token at two instances: one wins, and makes its tokens after the other has lost.
    await refresh?.consume('refresh')
    await assert.rejects(async () => refresh?.consume('refresh'), /replayed/)
    await access?.upsert('second', of, 600)
    await refresh?.upsert('next', of, 600)
    for (const [adapter, id] of [
      [access, 'first'],
      [access, 'second'],
      [refresh, 'next'],
    ] as const)
      assert.equal(await adapter?.find(id), undefined, id)
    await access?.upsert('of nobody', { clientId: 'batch' }, 600)
    assert.ok(await access?.find('of nobody'))
  })
})
