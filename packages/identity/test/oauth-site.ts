import type { TestContext } from 'node:test'
import type { Event, Principal } from '@postern/core'
import type { ClientMetadata } from 'oidc-provider'
import * as openid from 'openid-client'
import { type PlainBrowser, type Site, type SiteOptions, startSite } from './site.ts'

export const CALLBACK = 'http://127.0.0.1:8765/callback'
export const API = 'https://api.shop.example'
export const CLIENTS: readonly ClientMetadata[] = [
  {
    client_id: 'web',
    client_secret: 'a secret of the web client, which is long',
    client_name: 'Web <b>client</b>',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
  },
  {
    client_id: 'native',
    client_name: 'Native client',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  },
  {
    client_id: 'batch',
    client_secret: 'a secret of the batch client, which is long',
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  },
  {
    client_id: 'tv',
    client_name: 'TV',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [],
    response_types: [],
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
  },
  {
    client_id: 'desk',
    client_name: 'Desktop client',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
  },
]

export const PARTNER = 'https://partner.example'

/** @param options `oauth` adds to the clients and resources that all tests have */
export async function oauthSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  return startSite(t, {
    ...options,
    oauth: {
      refreshGraceMs: 0,
      ...options.oauth,
      clients: CLIENTS,
      resources: {
        [API]: { scopes: ['orders:read', 'orders:write'] },
        [PARTNER]: { scopes: ['parcels:read'], tokens: 'introspected' },
      },
    },
  })
}

/** Follows redirects as a browser does until one leaves the site, allowing what is asked. */
export async function allow(
  browser: PlainBrowser,
  start: URL,
  decision = 'allow',
): Promise<{ readonly url: URL; readonly pages: string[] }> {
  const pages: string[] = []
  let next = start.pathname + start.search
  for (let i = 0; i < 12; i++) {
    const answer = await browser.get(next)
    if (answer.status === 200) {
      pages.push(answer.text)
      const done = await browser.post(next, { decision })
      next = done.location
    } else next = answer.location
    if (next === '') throw new Error(`stopped with ${answer.status}: ${answer.text.slice(0, 300)}`)
    if (next.startsWith('http') && new URL(next).origin !== start.origin) return { url: new URL(next), pages }
    const url = new URL(next, start)
    next = url.pathname + url.search
  }
  throw new Error('too many redirects')
}

export function discover(site: Site, clientId: string, secret?: string): Promise<openid.Configuration> {
  return openid.discovery(new URL(`${site.origin}/.postern/oauth`), clientId, secret, undefined, {
    execute: [openid.allowInsecureRequests],
  })
}

/** Code and PKCE with openid-client. */
export async function codeFlow(
  browser: PlainBrowser,
  config: openid.Configuration,
  scope: string,
  resource: string = API,
): Promise<{
  readonly exchange: (
    key?: openid.DPoPOptions,
  ) => Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>
  readonly url: URL
  readonly pages: readonly string[]
  readonly verifier: string
}> {
  const verifier = openid.randomPKCECodeVerifier()
  const parameters = {
    redirect_uri: CALLBACK,
    scope,
    state: openid.randomState(),
    nonce: openid.randomNonce(),
    resource,
    prompt: 'consent',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const { url, pages } = await allow(browser, openid.buildAuthorizationUrl(config, parameters))
  const exchange = (
    key?: openid.DPoPOptions,
  ): Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers> =>
    openid.authorizationCodeGrant(
      config,
      url,
      { pkceCodeVerifier: verifier, expectedState: parameters.state, expectedNonce: parameters.nonce },
      { resource },
      key,
    )
  return { exchange, url, pages, verifier }
}

/** What the site said of grants that ended because something was used twice. */
export const replays = ({ events }: Site): readonly Event['data'][] =>
  events.flatMap(({ type, data }) => (type === 'grant.revoked' ? [data] : []))

export const asBearer = async (site: Site, token: string): Promise<Principal> =>
  JSON.parse(
    await (await fetch(`${site.origin}/api`, { headers: { authorization: `Bearer ${token}` } })).text(),
  )

/** Types the code that a device shows, and allows what it asks for. @returns the last page */
export async function allowDevice(
  browser: PlainBrowser,
  site: Site,
  started: openid.DeviceAuthorizationResponse,
): Promise<string> {
  const device = new URL(started.verification_uri).pathname
  const xsrf = (text: string): string => /name="xsrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const form = await browser.get(device)
  const shown = await browser.post(device, { xsrf: xsrf(form.text), user_code: started.user_code })
  const fields = { xsrf: xsrf(shown.text), user_code: started.user_code, confirm: 'yes' }
  let last = await browser.post(device, fields)
  for (let i = 0; i < 10 && last.location !== ''; i++) {
    const { pathname, search } = new URL(last.location, site.origin)
    last = await browser.get(pathname + search)
    if (last.status === 200 && /name="decision"/.test(last.text))
      last = await browser.post(pathname + search, { decision: 'allow' })
  }
  return last.text
}
