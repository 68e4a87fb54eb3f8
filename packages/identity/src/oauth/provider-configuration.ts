import type { RandomSource } from '@postern/core'
import type {
  Account,
  Configuration,
  interactionPolicy,
  KoaContextWithOIDC,
  errors as OauthErrors,
} from 'oidc-provider'
import { html } from '../pages/html.ts'
import type { Page, PageRequest } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { isOriginOf } from './browser-answers.ts'
import { deviceConfirm, deviceInput } from './device-pages.ts'
import type { OauthResource, OauthServerOptions } from './oauth-options.ts'
import { endReplayed } from './refusals.ts'
import type { OauthStore } from './store/oauth-store.ts'
import type { RefreshRotation } from './store/refresh-rotation.ts'
import { oauthSigningKeys } from './store/signing-keys.ts'
import { clientLabel, mayIntrospect, metadataFetch, urlClients } from './url-clients.ts'

const OIDC_SCOPES = ['openid', 'offline_access', 'email', 'profile']

const TTL_SECONDS = {
  AccessToken: 900,
  ClientCredentials: 900,
  AuthorizationCode: 60,
  DeviceCode: 600,
  IdToken: 900,
  Interaction: 1_800,
  RefreshToken: 30 * 86_400,
  Grant: 90 * 86_400,
  Session: 30 * 86_400,
}

type SetPage = (ctx: KoaContextWithOIDC, make: (request: PageRequest) => Page) => void

/** What the configuration of the server is made from. */
export interface ConfiguredFrom {
  readonly parts: IdentityParts & { readonly random: RandomSource }
  readonly store: OauthStore
  readonly rotation: RefreshRotation
  readonly policy: interactionPolicy.DefaultPolicy
  readonly errors: typeof OauthErrors
  /** Answers with a page in the site's own clothes. */
  readonly setPage: SetPage
}

/**
 * The configuration of `oidc-provider`: OAuth 2.1 (codes with PKCE, refresh tokens that rotate), and of its
 * features those that such a server needs.
 */
export async function providerConfiguration(
  from: ConfiguredFrom,
  options: OauthServerOptions,
): Promise<Configuration> {
  const { parts, store, rotation, policy, setPage } = from
  const apiScopes = Object.values(options.resources ?? {}).flatMap(({ scopes }) => scopes)
  return {
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
    cookies: cookies(parts),
    ttl: TTL_SECONDS,
    interactions: { policy, url: (_ctx, interaction) => `${parts.base}/oauth/consent/${interaction.uid}` },
    findAccount: async (_ctx, id) => accountOf(parts, id),
    renderError: (ctx, out) =>
      setPage(ctx, ({ texts }) => ({
        title: texts.refusedTitle,
        body: html`<p class="fault" role="alert">${texts.clientFault}</p><p class="hint"><code>${out.error}</code></p>`,
      })),
    features: features(from, options),
  }
}

function features(
  { parts, errors, setPage }: ConfiguredFrom,
  options: OauthServerOptions,
): NonNullable<Configuration['features']> {
  return {
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
    resourceIndicators: resourceIndicators(options.resources ?? {}, errors),
    deviceFlow: deviceFlow(setPage),
  }
}

/** APIs that tokens are for (RFC 8707); a request that names none is for the first. */
function resourceIndicators(
  resources: Readonly<Record<string, OauthResource>>,
  errors: typeof OauthErrors,
): NonNullable<NonNullable<Configuration['features']>['resourceIndicators']> {
  const [firstResource] = Object.keys(resources)
  return {
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
  }
}

function deviceFlow(setPage: SetPage): NonNullable<NonNullable<Configuration['features']>['deviceFlow']> {
  return {
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
  }
}

function cookies({ origin, base, secret }: IdentityParts): NonNullable<Configuration['cookies']> {
  const isSecure = origin.startsWith('https:')
  return {
    keys: [secret.mac('oauth-cookies', 'v1')],
    names: {
      session: 'postern-oauth',
      interaction: 'postern-oauth-interaction',
      resume: 'postern-oauth-resume',
    },
    long: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: `${base}/oauth`, signed: true },
    short: { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true },
  }
}

/** Claims of an account; of one that is disabled there are none. */
async function accountOf(parts: IdentityParts, id: string): Promise<Account | undefined> {
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
}
