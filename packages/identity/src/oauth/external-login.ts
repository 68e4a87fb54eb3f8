import { ConfigError, type ConfigIssue } from '@postern/core'
import { notLoaded, requireVersion } from '@postern/store'
import type { Configuration, IDToken } from 'openid-client'
import type { Account } from '../account/account.ts'
import { type Email, parseEmail } from '../account/email.ts'
import {
  backOf,
  contextOf,
  go,
  isAnswer,
  isStillSignedIn,
  needsFreshSession,
  show,
  withBack,
} from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { PageAnswer, PageRequest, Routes } from '../pages/page-request.ts'
import { sessionCookies } from '../pages/sign-in-pages.ts'
import type { ExternalProvider } from '../parts/external-provider.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { SignIn } from '../parts/sign-in.ts'
import { type ExternalState, openState, sealState } from './external-state.ts'

const STATE_MS = 600_000
const STATE_COOKIE = 'external'
/** Seconds: asked for, so that the provider says when the person proved themselves there (`auth_time`). */
const ANY_AGE = 365 * 86_400

/** @throws ConfigError with everything that is wrong */
export function checkedProviders(providers: readonly ExternalProvider[]): readonly ExternalProvider[] {
  const issues: ConfigIssue[] = []
  const seen = new Set<string>()
  for (const [index, { id, issuer, clientId, clientSecret }] of providers.entries()) {
    const place = `identity.providers[${index}]`
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(id))
      issues.push({ place: `${place}.id`, problem: 'is not small letters, digits and hyphens' })
    if (seen.has(id)) issues.push({ place: `${place}.id`, problem: 'is listed twice' })
    if (!URL.canParse(issuer) || !isSecure(new URL(issuer)))
      issues.push({ place: `${place}.issuer`, problem: 'is not an https URL' })
    if (clientId === '') issues.push({ place: `${place}.clientId`, problem: 'is empty' })
    if (clientSecret === '')
      issues.push({
        place: `${place}.clientSecret`,
        problem: 'is empty',
        hint: 'leave it out for a public client',
      })
    seen.add(id)
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return providers
}

function isSecure(url: URL): boolean {
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname))
  )
}

/** OpenID Connect Core section 2: at most 255 characters of ASCII. An empty one would be everybody. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

/**
 * Signing in at another OpenID Connect provider: code with PKCE, nonce, and a redirect URI per provider. Who
 * comes back is known by issuer and subject, never by an e-mail address: an address that has an account here
 * is not linked to it by what another provider says; its owner signs in and links it.
 */
export function externalLogin(parts: IdentityParts): Routes {
  if (parts.providers.length === 0) return {}
  const { base, cookies } = parts
  const signIn = new SignIn(parts)
  const configurations = new Map<string, Promise<Configuration>>()
  const callback = (id: string): string => `${parts.origin}${base}/external/callback/${id}`

  /** Discovered once; a failure is forgotten, so that the next try asks again. */
  const discover = (provider: ExternalProvider): Promise<Configuration> => {
    const known = configurations.get(provider.id)
    if (known !== undefined) return known
    const asked = discovered(provider)
    configurations.set(provider.id, asked)
    asked.catch(() => configurations.delete(provider.id))
    return asked
  }

  const failed = (request: PageRequest): PageAnswer => {
    const { texts } = request
    const body = html`<p class="fault" role="alert">${texts.externalFailed}</p><p><a class="button full" href="${base}/sign-in">${texts.backToSignIn}</a></p>`
    return show({ title: texts.refusedTitle, body }, 401, [cookies.clear(STATE_COOKIE)])
  }

  return {
    'POST /external/start': async request => {
      const provider = parts.providers.find(({ id }) => id === request.form.get('provider'))
      if (provider === undefined) return failed(request)
      let link = ''
      if (request.form.get('link') === 'yes') {
        const session = needsFreshSession(request, parts)
        if (isAnswer(session)) return session
        link = session.accountId
      }
      const client = await loadClient()
      const configuration = await discover(provider).catch(() => undefined)
      if (configuration === undefined) return failed(request)
      const state: ExternalState = {
        provider: provider.id,
        verifier: client.randomPKCECodeVerifier(),
        nonce: client.randomNonce(),
        state: client.randomState(),
        back: backOf(request, parts) ?? '',
        link,
        until: parts.clock.now() + STATE_MS,
      }
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: callback(provider.id),
        scope: provider.scope ?? 'openid email profile',
        state: state.state,
        nonce: state.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(state.verifier),
        code_challenge_method: 'S256',
        // Who is signed in comes for a fresh proof, which an open browser cannot give (OpenID Connect Core
        // section 3.1.2.1).
        max_age: String(request.session === undefined ? ANY_AGE : 0),
      })
      const title = request.texts.goingTo.replace('{provider}', provider.name)
      const body = html`<p><a class="button full" href="${url.href}">${request.texts.continue}</a></p>`
      return show({ title, body, refresh: url.href }, 200, [
        cookies.set(STATE_COOKIE, sealState(parts.secret, state), STATE_MS / 1_000),
      ])
    },
    'GET /external/callback/*': async request => {
      const path = request.exchange.path.canonical
      const cookie = cookies.read(request.exchange.header('cookie'), STATE_COOKIE) ?? ''
      const state = openState(parts.secret, cookie, parts.clock.now())
      const provider = parts.providers.find(({ id }) => id === state?.provider)
      // A state of another provider is worth nothing here, whatever the answer says.
      if (
        state === undefined ||
        provider === undefined ||
        path !== `${base}/external/callback/${provider.id}`
      )
        return failed(request)
      const claims = await claimsOf(
        provider,
        await discover(provider),
        state,
        new URL(`${parts.origin}${path}?${request.exchange.path.query}`),
      )
      if (claims === undefined) return failed(request)
      const account = await accountOnce(parts, provider, claims, state, request)
      if (account === undefined) return failed(request)
      if (state.link !== '') return go(`${base}/account`, [cookies.clear(STATE_COOKIE)])
      const result = await signIn.external(account, contextOf(request), provenAt(claims, parts.clock.now()))
      const back = state.back === '' ? undefined : state.back
      if (result.kind === 'signed-in')
        return go(back ?? parts.home, [...sessionCookies(parts, result.session), cookies.clear(STATE_COOKIE)])
      if (result.kind === 'second-factor')
        return go(`${base}/sign-in/code${withBack(back)}`, [
          cookies.set('second-factor', result.token, 600),
          cookies.clear(STATE_COOKIE),
        ])
      return failed(request)
    },
  }
}

/** The account, once for each sign-in that was begun: also where a provider takes a code twice. */
async function accountOnce(
  parts: IdentityParts,
  ...[provider, claims, state, request]: [ExternalProvider, IDToken, ExternalState, PageRequest]
): Promise<Account | undefined> {
  const account = await accountFor(parts, provider, claims, state, request)
  if (account === undefined) return undefined
  const isFirst = await parts.tokens.useOnce('external', state.state, account.id, Math.floor(state.until))
  return isFirst ? account : undefined
}

/** The account a sign-in elsewhere stands for; linked or made where that is proven, undefined otherwise. */
async function accountFor(
  parts: IdentityParts,
  provider: ExternalProvider,
  claims: IDToken,
  state: ExternalState,
  request: PageRequest,
): Promise<Account | undefined> {
  const { accounts } = parts
  const known = await accounts.byExternal(provider.issuer, claims.sub)
  if (state.link !== '') {
    const isTheirs = request.session?.accountId === state.link && request.session.impersonator === undefined
    if (!isTheirs || (known !== undefined && known.id !== state.link)) return undefined
    if (known === undefined && !(await accounts.linkExternal(state.link, provider.issuer, claims.sub)))
      return undefined
    if (known === undefined && !(await isStillSignedIn(request, parts))) {
      await accounts.unlinkOne(state.link, provider.issuer, claims.sub)
      return undefined
    }
    return accounts.byId(state.link)
  }
  if (known !== undefined) return known
  const email = provenEmail(claims)
  if (parts.signUp === 'closed' || email === undefined) return undefined
  const name = typeof claims['name'] === 'string' ? claims['name'] : ''
  const made = await accounts.create({ email, name, locale: request.language, emailVerified: 'yes' })
  if (made === undefined) return undefined
  return (await accounts.linkExternal(made.id, provider.issuer, claims.sub)) ? made : undefined
}

/** When the person proved themselves, as the provider says; else now. Epoch milliseconds. */
function provenAt({ auth_time: seconds }: IDToken, now: number): number {
  return typeof seconds === 'number' && seconds >= 0 ? Math.min(seconds * 1_000, now) : now
}

/** An address that the provider says it has verified: exactly `true`, not a text that looks like it. */
function provenEmail(claims: IDToken): Email | undefined {
  const { email, email_verified: isVerified } = claims
  return isVerified === true && typeof email === 'string' ? parseEmail(email) : undefined
}

async function claimsOf(
  provider: ExternalProvider,
  configuration: Configuration,
  state: ExternalState,
  url: URL,
): Promise<IDToken | undefined> {
  const client = await loadClient()
  const tokens = await client
    .authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: state.verifier,
      expectedState: state.state,
      expectedNonce: state.nonce,
      idTokenExpected: true,
    })
    .catch(() => undefined)
  const claims = tokens?.claims()
  if (tokens === undefined || claims?.iss !== provider.issuer || !SUBJECT.test(claims.sub)) return undefined
  if (claims['email'] !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined)
    return claims
  // OpenID Connect Core section 5.4: with an access token, profile and address may come from UserInfo
  // only. It is asked about this subject.
  const info = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub).catch(() => ({}))
  return { ...info, ...claims }
}

async function discovered(provider: ExternalProvider): Promise<Configuration> {
  const client = await loadClient()
  const issuer = new URL(provider.issuer)
  const configuration = await client.discovery(issuer, provider.clientId, provider.clientSecret, undefined, {
    timeout: 5,
    execute: [
      // By itself the client trusts a token for the connection that it came over.
      client.enableNonRepudiationChecks,
      ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
    ],
  })
  if (configuration.serverMetadata().issuer !== provider.issuer)
    throw new Error('the metadata is of another issuer')
  return configuration
}

/** @throws (rejects) ConfigError when it is not installed or too old */
async function loadClient(): Promise<typeof import('openid-client')> {
  const versions = { least: '6.0.0', tested: '6.9.0' }
  const wanted = { name: 'openid-client', ...versions, place: 'identity.providers', needs: 'need' }
  requireVersion(wanted, import.meta.url)
  return import(/* webpackIgnore: true */ 'openid-client').catch(notLoaded(wanted))
}
