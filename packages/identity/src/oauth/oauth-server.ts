import type { Principal, RandomSource } from '@postern/core'
import type {
  ClientMetadata,
  Configuration,
  Interaction,
  InteractionResults,
  KoaContextWithOIDC,
} from 'oidc-provider'
import { go, isAnswer, isFresh, needsSession, show, toStepUp } from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { Page, PageAnswer, PageRequest, Routes } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import type { Session } from '../session/session.ts'
import { isOriginOf, withPagePolicy } from './browser-answers.ts'
import { consentPage } from './consent-page.ts'
import { deviceConfirm, deviceInput } from './device-pages.ts'
import { grantPages } from './grant-pages.ts'
import { granted } from './granted.ts'
import { loadProvider } from './load-provider.ts'
import { MemoryServer } from './memory-server.ts'
import { addressBelow } from './metadata-path.ts'
import { endReplayed, refusals, replayEvents } from './refusals.ts'
import { DevicePolls } from './store/device-polls.ts'
import { OauthStore } from './store/oauth-store.ts'
import { RefreshRotation } from './store/refresh-rotation.ts'
import { oauthSigningKeys } from './store/signing-keys.ts'
import { clientLabel, mayIntrospect, metadataFetch, urlClients } from './url-clients.ts'

/** An API that tokens are for (RFC 8707). */
export interface OauthResource {
  /** Scopes a client may ask for. */
  readonly scopes: readonly string[]
  /**
   * `opaque` (the default) for this site. For an API elsewhere: `introspected` when it asks this server about
   * a token, `jwt` (RFC 9068) when it verifies tokens itself. A token for an API elsewhere is known to that
   * API, which could send it here; so it identifies no request here.
   */
  readonly tokens?: 'opaque' | 'introspected' | 'jwt'
}

/** The clients and resources of the OAuth server. */
export interface OauthServerOptions {
  /** Clients that are known beforehand, as RFC 7591 names their metadata. */
  readonly clients?: readonly ClientMetadata[]
  /** APIs by their URI. A request that names none is for the first. */
  readonly resources?: Readonly<Record<string, OauthResource>>
  /**
   * Whether a client may be a URL of its own metadata, as MCP clients are (OAuth
   * Client ID Metadata Document). Default `no`.
   */
  readonly metadataDocuments?: 'yes' | 'no'
  /**
   * Milliseconds in which the same client gets the same refresh token again for the one that it replaced.
   * Default 10 seconds; 0: never.
   */
  readonly refreshGraceMs?: number
}

/** An OAuth 2.1 and OpenID Connect server, in the pages' own clothes. */
export interface OauthServer {
  /** Pages of its own. */
  readonly routes: Routes
  /** Answers what is below `/oauth/`, and the metadata of the issuer outside it. */
  answer(request: PageRequest): Promise<PageAnswer>
  /**
   * Who a bearer token of its own stands for; undefined for any other, for one of an API elsewhere, and for
   * one bound to a key (DPoP), which a bearer must not use.
   */
  identify(token: string): Promise<Principal | undefined>
}

const REFRESH_GRACE_MS = 10_000
const OIDC_SCOPES = ['openid', 'offline_access', 'email', 'profile']

/**
 * Opens the OAuth server; `oidc-provider` is loaded now.
 * @throws ConfigError when it is not installed, or a client or resource is not valid
 */
export async function oauthServer(
  parts: IdentityParts & { readonly random: RandomSource },
  options: OauthServerOptions,
): Promise<OauthServer> {
  const { Provider: ProviderClass, errors, interactionPolicy } = await loadProvider()
  const server = new MemoryServer(parts.origin)
  const current = (): PageRequest | undefined =>
    ProviderClass.ctx === undefined ? undefined : server.pageOf(ProviderClass.ctx.req)
  const tell = replayEvents(parts)
  const store = new OauthStore(
    parts,
    refusals(errors),
    grant => tell('grant.revoked', grant, current()),
    options.refreshGraceMs ?? REFRESH_GRACE_MS,
  )
  const rotation = new RefreshRotation(
    store,
    () => ProviderClass.ctx,
    (grant, { req }) => tell('grant.repeated', grant, server.pageOf(req)),
  )
  const issuer = `${parts.origin}${parts.base}/oauth`
  const isSecure = parts.origin.startsWith('https:')
  const pages = new WeakMap<PageRequest, Page>()

  const setPage = (ctx: KoaContextWithOIDC, make: (request: PageRequest) => Page): void => {
    const request = server.pageOf(ctx.req)
    if (request === undefined) return
    pages.set(request, make(request))
    ctx.type = 'text/html'
    ctx.body = 'page'
  }

  /**
   * Whether the server's idea of who is signed in is not the session's: somebody
   * signed out, or in as another, since.
   */
  const policy = interactionPolicy.base()
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('session_changed', 'End-User authentication is required', ctx => {
      const known = ctx.oidc.session?.accountId
      return known !== undefined && server.pageOf(ctx.req)?.session?.accountId !== known
    }),
  )

  const resources = options.resources ?? {}
  const [firstResource] = Object.keys(resources)
  const apiScopes = Object.values(resources).flatMap(({ scopes }) => scopes)
  const configuration: Configuration = {
    adapter: model => (model === 'RefreshToken' ? rotation.adapter() : store.adapter(model)),
    clients: (options.clients ?? []).map(client => ({ ...client })),
    jwks: { keys: [...(await oauthSigningKeys(parts))] as NonNullable<Configuration['jwks']>['keys'] },
    scopes: [...new Set([...OIDC_SCOPES, ...apiScopes])],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: ctx => rotation.isNew(ctx),
    revokeGrantPolicy: async ctx => {
      await endReplayed(ctx, store)
      return true
    },
    issueRefreshToken: async (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientBasedCORS: (_ctx, origin, client) => isOriginOf(origin, client),
    conformIdTokenClaims: true,
    fetch: metadataFetch(),
    cookies: {
      keys: [parts.secret.mac('oauth-cookies', 'v1')],
      names: {
        session: 'postern-oauth',
        interaction: 'postern-oauth-interaction',
        resume: 'postern-oauth-resume',
      },
      long: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: `${parts.base}/oauth`, signed: true },
      short: { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true },
    },
    ttl: {
      AccessToken: 900,
      ClientCredentials: 900,
      AuthorizationCode: 60,
      DeviceCode: 600,
      IdToken: 900,
      Interaction: 1_800,
      RefreshToken: 30 * 86_400,
      Grant: 90 * 86_400,
      Session: 30 * 86_400,
    },
    interactions: { policy, url: (_ctx, interaction) => `${parts.base}/oauth/consent/${interaction.uid}` },
    findAccount: async (_ctx, id) => {
      const account = await parts.accounts.byId(id)
      if (account === undefined || account.disabledAt !== undefined) return undefined
      return {
        accountId: id,
        claims: async () => ({
          sub: id,
          email: account.email,
          email_verified: account.emailVerifiedAt !== undefined,
          name: account.name,
          locale: account.locale,
        }),
      }
    },
    renderError: (ctx, out) =>
      setPage(ctx, ({ texts }) => ({
        title: texts.refusedTitle,
        body: html`<p class="fault" role="alert">${texts.clientFault}</p><p class="hint"><code>${out.error}</code></p>`,
      })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => mayIntrospect(client, token, parts.accounts),
      },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true },
      clientIdMetadataDocument: urlClients(options.metadataDocuments ?? 'no'),
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, _client, oneOf) =>
          (oneOf ?? (firstResource === undefined ? [] : [firstResource])) as string | string[],
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, indicator) => {
          const resource = Object.hasOwn(resources, indicator) ? resources[indicator] : undefined
          if (resource === undefined) throw new errors.InvalidTarget()
          return {
            scope: resource.scopes.join(' '),
            audience: indicator,
            accessTokenTTL: 900,
            accessTokenFormat: resource.tokens === 'jwt' ? 'jwt' : 'opaque',
          }
        },
      },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        userCodeInputSource: (ctx, form, _out, error) =>
          setPage(ctx, request => deviceInput(request, form, error !== undefined)),
        userCodeConfirmSource: (ctx, form, client, _device, code) =>
          setPage(ctx, request => deviceConfirm(request, form, clientLabel(client), code)),
        successSource: ctx =>
          setPage(ctx, ({ texts }) => ({
            title: texts.deviceTitle,
            body: html`<p class="notice" role="status">${texts.deviceDone}</p>`,
          })),
      },
    },
  }
  const provider = new ProviderClass(issuer, configuration)
  provider.proxy = true
  const polls = new DevicePolls(parts)
  provider.use(async (ctx, next) => {
    await next()
    await polls.answered(ctx as KoaContextWithOIDC)
    rotation.answered(ctx as KoaContextWithOIDC)
  })
  const callback = provider.callback()

  const answer = async (request: PageRequest): Promise<PageAnswer> => {
    const { bytes } = await request.exchange.readBody()
    const made = await server.run(request, bytes, (req, res) => {
      // Mounted: the server sees its own paths, and knows the whole by `originalUrl`.
      const mount = `${parts.base}/oauth`
      const originalUrl = addressBelow(req.url ?? '/', mount)
      Object.assign(req, { originalUrl })
      req.url = originalUrl.slice(mount.length) || '/'
      callback(req, res)
    })
    const page = pages.get(request)
    if (page === undefined) return { kind: 'raw', answer: withPagePolicy(made) }
    return { kind: 'page', status: made.status, page, cookies: cookiesOf(made.headers) }
  }

  /** Runs with the interaction that this browser is in. */
  const within = async (
    request: PageRequest,
    work: (
      interaction: Interaction,
      finish: (result: InteractionResults) => Promise<PageAnswer>,
    ) => Promise<PageAnswer>,
  ): Promise<PageAnswer> => {
    const finish = async (result: InteractionResults): Promise<PageAnswer> => {
      const returnTo = await inside(request, server, (req, res) =>
        provider.interactionResult(req, res, result),
      )
      return returnTo === undefined ? gone(request) : go(returnTo)
    }
    const details = await inside(request, server, (req, res) => provider.interactionDetails(req, res))
    if (
      details === undefined ||
      request.exchange.path.canonical !== `${parts.base}/oauth/consent/${details.uid}`
    )
      return gone(request)
    return work(details, finish)
  }

  return {
    routes: {
      ...grantPages(parts, provider, store),
      'GET /oauth/consent/*': request =>
        within(request, async (interaction, finish) => {
          const session = needsSession(request, parts)
          if (isAnswer(session)) return session
          if (session.impersonator !== undefined) return finish({ error: 'access_denied' })
          if (interaction.prompt.name === 'login')
            return signedIn(request, parts, interaction, session, finish)
          // What is allowed outlives the session: who stole the session must not be able to allow it.
          if (!isFresh(request, session)) return toStepUp(request, parts)
          return show(await consentPage(request, parts, provider, interaction, session))
        }),
      'POST /oauth/consent/*': request =>
        within(request, async (interaction, finish) => {
          const session = needsSession(request, parts)
          if (isAnswer(session)) return session
          const isTheirs =
            interaction.prompt.name === 'consent' && interaction.session?.accountId === session.accountId
          if (!isTheirs || session.impersonator !== undefined || request.form.get('decision') !== 'allow')
            return finish({ error: 'access_denied', error_description: 'the person did not allow it' })
          if (!isFresh(request, session)) return toStepUp(request, parts)
          return finish({ consent: { grantId: await granted(provider, interaction, session) } })
        }),
    },
    answer,
    identify: async token => {
      const found = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token))
      if (found === undefined || !found.isValid || found.isSenderConstrained()) return undefined
      const scopes = found.scope?.split(' ') ?? []
      if (!isForSite(found.aud, scopes, resources)) return undefined
      if (found.kind === 'ClientCredentials') return { kind: 'service', id: found.clientId ?? '', scopes }
      const account = await parts.accounts.byId(found.accountId)
      if (account === undefined || account.disabledAt !== undefined) return undefined
      return { kind: 'user', id: account.id, scopes, amr: ['oauth'], actor: `service:${found.clientId}` }
    },
  }
}

/**
 * Whether a token is for this site: it must name a resource of this site and have a scope of it. What
 * somebody allowed a program in order to sign in (`openid`, `email`) opens no API.
 */
function isForSite(
  audience: string | readonly string[] | undefined,
  scopes: readonly string[],
  resources: Readonly<Record<string, OauthResource>>,
): boolean {
  const names = typeof audience === 'string' ? [audience] : (audience ?? [])
  if (names.length === 0) return false
  return names.every(name => {
    const resource = Object.hasOwn(resources, name) ? resources[name] : undefined
    if (resource === undefined || (resource.tokens ?? 'opaque') !== 'opaque') return false
    return resource.scopes.some(scope => scopes.includes(scope))
  })
}

/**
 * Tells the server who is signed in; a demand for a fresh sign-in is met by a proof that is younger than the
 * demand, one for a sign-in of the last hour (`max_age`) by a proof that is at most so much older.
 */
async function signedIn(
  request: PageRequest,
  parts: IdentityParts,
  interaction: Interaction,
  session: Session,
  finish: (result: InteractionResults) => Promise<PageAnswer>,
): Promise<PageAnswer> {
  if (session.authenticatedAt < oldestProof(interaction)) return toStepUp(request, parts)
  return finish({
    login: {
      accountId: session.accountId,
      amr: [...session.amr],
      ts: Math.floor(session.authenticatedAt / 1_000),
      remember: false,
    },
  })
}

/** How old the proof of a sign-in may be that an interaction asks for. Epoch milliseconds. */
function oldestProof({ iat, prompt, params }: Interaction): number {
  if (prompt.reasons.includes('login_prompt')) return iat * 1_000
  // The server asks for `max_age` also where it does not know yet when somebody proved themselves.
  const maxAge = Number(params['max_age'])
  return prompt.reasons.includes('max_age') ? (iat - (maxAge > 0 ? maxAge : 0)) * 1_000 : 0
}

/**
 * Calls the server's own functions with the request and answer that they want; undefined when they refuse.
 */
async function inside<T>(
  request: PageRequest,
  server: MemoryServer,
  use: (...parameters: Parameters<Parameters<MemoryServer['run']>[2]>) => Promise<T>,
): Promise<T | undefined> {
  let result: T | undefined
  await server.run(request, new Uint8Array(0), (req, res) => {
    use(req, res).then(
      value => {
        result = value
        res.end()
      },
      () => res.end(),
    )
  })
  return result
}

function gone({ texts }: PageRequest): PageAnswer {
  return show({ title: texts.linkDeadTitle, body: html`<p>${texts.linkDead}</p>` }, 410)
}

function cookiesOf(headers: readonly string[]): readonly string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === 'set-cookie')
}
