import { networkOf, type Principal, type RandomSource } from '@postern/core'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { formOld } from '../pages/answers.ts'
import type { Page, PageAnswer, PageRequest, Routes } from '../pages/page-request.ts'
import { isOwnPost } from '../pages/read-page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { withPagePolicy } from './browser-answers.ts'
import { consentRoutes } from './consent-routes.ts'
import { grantPages } from './grant-pages.ts'
import { loadProvider } from './load-provider.ts'
import { MemoryServer } from './memory-server.ts'
import { addressBelow } from './metadata-path.ts'
import type { OauthResource, OauthServerOptions } from './oauth-options.ts'
import { providerConfiguration } from './provider-configuration.ts'
import { refusals, replayEvents } from './refusals.ts'
import { DevicePolls } from './store/device-polls.ts'
import { OauthStore } from './store/oauth-store.ts'
import { RefreshRotation } from './store/refresh-rotation.ts'

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
  const network = (): string | undefined => {
    const client = current()?.exchange.client
    return client === undefined ? undefined : networkOf(client)
  }
  const store = new OauthStore(
    { ...parts, network },
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
  const pages = new WeakMap<PageRequest, Page>()

  const setPage = (ctx: KoaContextWithOIDC, make: (request: PageRequest) => Page): void => {
    const request = server.pageOf(ctx.req)
    if (request === undefined) return
    pages.set(request, make(request))
    ctx.type = 'text/html'
    ctx.body = 'page'
  }

  const policy = interactionPolicy.base()
  // Somebody signed out, or in as another, since the server learned who is signed in.
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('session_changed', 'End-User authentication is required', ctx => {
      const known = ctx.oidc.session?.accountId
      return known !== undefined && server.pageOf(ctx.req)?.session?.accountId !== known
    }),
  )

  const resources = options.resources ?? {}
  const configuration = await providerConfiguration(
    { parts, store, rotation, policy, errors, setPage },
    options,
  )
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
    if (isDeviceForm(request.exchange) && !isOwnPost(request, parts.origin)) return formOld(request)
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

  return {
    routes: {
      ...grantPages(parts, provider, store),
      ...consentRoutes(parts, provider, server),
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
 * The one form of the server's own. Its token is of the server's session, whose cookie a subdomain can set to
 * one of its own making; the forms of consent are pages of the site.
 */
function isDeviceForm({ method, path }: PageRequest['exchange']): boolean {
  return method === 'POST' && /\/oauth\/device\/?$/i.test(path.canonical)
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

function cookiesOf(headers: readonly string[]): readonly string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === 'set-cookie')
}
