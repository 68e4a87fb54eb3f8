import { ConfigError, type Duration, type Identify } from '@postern/core'
import * as z from 'zod/mini'
import { inCode, key, parsed, required, section } from '../key/key.ts'
import { duration, listOf, oneOf, storeUrl, text } from '../key/types.ts'
import {
  type AuthJsConfig,
  authJs,
  type BetterAuthConfig,
  betterAuth,
  type CertificateConfig,
  type CompiledBetterAuth,
  type CompiledCertificate,
  type CompiledKnownProxy,
  type CompiledProxyHeaders,
  type CompiledSessionUrl,
  type KnownProxyConfig,
  knownProxy,
  mtls,
  type ProxyHeadersConfig,
  proxy,
  type SessionUrlConfig,
  sessionUrl,
} from './identify-sessions.ts'
import {
  type Auth0Config,
  auth0,
  type ClerkConfig,
  type CloudflareAccessConfig,
  type CognitoConfig,
  type CompiledIntrospection,
  type CompiledJwt,
  clerk,
  cloudflareAccess,
  cognito,
  type EntraConfig,
  entra,
  type IntrospectionConfig,
  introspection,
  type JwtConfig,
  jwt,
  type KeycloakConfig,
  keycloak,
} from './identify-tokens.ts'

/** One way to tell who acts: exactly one of these, and a name. */
export interface IdentifyMethodConfig {
  /** Name of this method, as `identify` of a route names it. Default: the key that is used, e.g. `jwt`. */
  readonly name?: string | undefined
  /**
   * Added in front of the ids of this method, so that principals of two issuers cannot be confused. Default:
   * nothing.
   */
  readonly prefix?: string | undefined
  /** Signed tokens of an issuer. */
  readonly jwt?: JwtConfig | undefined
  /** Access tokens of Auth0. */
  readonly auth0?: Auth0Config | undefined
  /** Session tokens of Clerk. */
  readonly clerk?: ClerkConfig | undefined
  /** Access tokens of Amazon Cognito. */
  readonly cognito?: CognitoConfig | undefined
  /** Access tokens of Keycloak. */
  readonly keycloak?: KeycloakConfig | undefined
  /** Access tokens of Microsoft Entra ID. */
  readonly entra?: EntraConfig | undefined
  /** Requests that came through Cloudflare Access. */
  readonly cloudflareAccess?: CloudflareAccessConfig | undefined
  /** Opaque tokens, asked of the server that issued them. */
  readonly introspection?: IntrospectionConfig | undefined
  /** Sessions that the application keeps, asked of it. */
  readonly sessionUrl?: SessionUrlConfig | undefined
  /** Sessions of better-auth, which is asked. */
  readonly betterAuth?: BetterAuthConfig | undefined
  /** Sessions of Auth.js that are kept in the cookie. */
  readonly authJs?: AuthJsConfig | undefined
  /** Client certificates of the TLS connection. */
  readonly mtls?: CertificateConfig | undefined
  /** Headers that a proxy in front adds. */
  readonly proxy?: ProxyHeadersConfig | undefined
  /** Headers that oauth2-proxy adds. */
  readonly oauth2Proxy?: KnownProxyConfig | undefined
  /** Headers that Tailscale Serve adds. */
  readonly tailscale?: KnownProxyConfig | undefined
}

/** What the application knows of a principal beyond its credential: plan, tenant and roles. */
export interface LookUpConfig {
  /** Asked by GET with the principal's id in place of `{id}`; answers with JSON. HTTPS, or loopback. */
  readonly url?: string | undefined
  /** The application's PostgreSQL. Holds a password: write `${NAME}`. Default: `stores.postgres`. */
  readonly postgres?: string | undefined
  /** Query with the principal's id as `$1`, for columns `plan`, `tenant` and `roles`. */
  readonly query?: string | undefined
  /** How long an answer is cached; at most 20,000 are. Default: `30s`. */
  readonly cache?: Duration | undefined
}

/** A method of built-in identity by its name, or another one. */
export type IdentifyMethodEntry = OwnMethod | IdentifyMethodConfig

/** Methods of built-in identity. */
export type OwnMethod = 'session' | 'apiKey' | 'oauth'

/** How a principal is found, and what happens when that fails. */
export interface IdentifySettings {
  /** A list of methods, a function that returns the principal, or `application`. */
  readonly by: Identify | 'application' | readonly IdentifyMethodEntry[]
  /** Adds plan, tenant and roles to the principal that a method of the list identified. Default: nothing. */
  readonly lookUp?: LookUpConfig | undefined
  /** How long a request waits for `by`. Default: `1s`. */
  readonly deadline?: Duration | undefined
  /** When `by` fails or is late: continue as `anonymous`, or `refuse` with 503. Default: `anonymous`. */
  readonly onFailure?: 'anonymous' | 'refuse' | undefined
}

/**
 * Who fills the principal of a request: methods, a function, or the application itself by `setPrincipal`.
 * @example
 * ```ts
 * import type { IdentifyConfig } from 'postern'
 *
 * export const identify: IdentifyConfig = {
 *   by: exchange => {
 *     const id = exchange.header('x-user')
 *     return id === undefined ? undefined : { kind: 'user', id }
 *   },
 *   deadline: '200ms',
 *   onFailure: 'refuse',
 * }
 * ```
 */
export type IdentifyConfig = Identify | 'application' | readonly IdentifyMethodEntry[] | IdentifySettings

/** One way to tell who acts, checked: exactly one of the optional parts. */
export interface CompiledIdentifyMethod {
  readonly name: string
  readonly prefix?: string
  readonly jwt?: CompiledJwt
  readonly auth0?: Auth0Config
  readonly clerk?: ClerkConfig
  readonly cognito?: CognitoConfig
  readonly keycloak?: KeycloakConfig
  readonly entra?: EntraConfig
  readonly cloudflareAccess?: CloudflareAccessConfig
  readonly introspection?: CompiledIntrospection
  readonly sessionUrl?: CompiledSessionUrl
  readonly betterAuth?: CompiledBetterAuth
  readonly authJs?: AuthJsConfig
  readonly mtls?: CompiledCertificate
  readonly proxy?: CompiledProxyHeaders
  readonly oauth2Proxy?: CompiledKnownProxy
  readonly tailscale?: CompiledKnownProxy
}

/** A look-up, checked; milliseconds. */
export interface CompiledLookUp {
  readonly url?: string
  readonly postgres?: string
  readonly query?: string
  readonly cache: number
}

/** `identify` written as data: methods of built-in identity, and others, tried in order. */
export interface CompiledIdentifyMethods {
  /** Methods of built-in identity that hold everywhere; all when none is named. */
  readonly own: readonly OwnMethod[] | undefined
  readonly methods: readonly CompiledIdentifyMethod[]
}

/** How a principal is found, with defaults. */
export interface CompiledIdentify {
  readonly by: Identify | 'application' | CompiledIdentifyMethods
  readonly lookUp?: CompiledLookUp
  /** Milliseconds. */
  readonly deadline: number
  readonly onFailure: 'anonymous' | 'refuse'
}

type Written = Omit<CompiledIdentifyMethod, 'name'> & { readonly name?: string }

const method: z.ZodMiniType<CompiledIdentifyMethod, IdentifyMethodConfig> = parsed(
  section<Written, IdentifyMethodConfig>('IdentifyMethodConfig', () => ({
    name: key(z.string().check(z.regex(/^[A-Za-z][\w-]{0,40}$/, 'a short name, e.g. "customers"')), {
      description: 'Name of this method, as `identify` of a route names it.',
      defaultText: 'the key that is used, e.g. `jwt`',
      example: 'customers',
    }),
    prefix: key(z.string().check(z.regex(/^[\w:./-]{1,100}$/, 'a short text, e.g. "partners:"')), {
      description:
        'Added in front of the ids of this method, so that principals of two issuers cannot be confused.',
      defaultText: 'nothing',
      example: 'partners:',
    }),
    jwt: key(jwt, {
      description: 'Signed tokens of an issuer.',
      example: { issuer: 'https://id.example.com', audience: 'orders', jwks: 'https://id.example.com/jwks' },
    }),
    auth0: key(auth0, {
      description: 'Access tokens of Auth0.',
      example: { domain: 'example.eu.auth0.com', audience: 'https://api.example.com' },
    }),
    clerk: key(clerk, {
      description: 'Session tokens of Clerk.',
      example: { frontendApi: 'https://clerk.example.com', origins: ['https://app.example.com'] },
    }),
    cognito: key(cognito, {
      description: 'Access tokens of Amazon Cognito.',
      example: { region: 'eu-central-1', pool: 'eu-central-1_aBcDeFgHi', client: '1example23456789' },
    }),
    keycloak: key(keycloak, {
      description: 'Access tokens of Keycloak.',
      example: { realm: 'https://id.example.com/realms/shop', audience: 'orders' },
    }),
    entra: key(entra, {
      description: 'Access tokens of Microsoft Entra ID.',
      example: {
        directory: '11111111-2222-3333-4444-555555555555',
        audience: '66666666-7777-8888-9999-000000000000',
      },
    }),
    cloudflareAccess: key(cloudflareAccess, {
      description: 'Requests that came through Cloudflare Access.',
      example: { team: 'https://example.cloudflareaccess.com', audience: '4714c1358e65fe4b' },
    }),
    introspection: key(introspection, {
      description: 'Opaque tokens, asked of the server that issued them.',
      example: {
        url: 'https://id.example.com/introspect',
        clientId: 'orders',
        clientSecret: '${CLIENT_SECRET}',
        audience: 'orders',
      },
    }),
    sessionUrl: key(sessionUrl, {
      description: 'Sessions that the application keeps, asked of it.',
      example: { cookie: 'connect.sid', url: 'http://127.0.0.1:3000/api/me' },
    }),
    betterAuth: key(betterAuth, {
      description: 'Sessions of better-auth, which is asked.',
      example: { url: 'http://127.0.0.1:3000/api/auth' },
    }),
    authJs: key(authJs, {
      description: 'Sessions of Auth.js that are kept in the cookie.',
      example: { secret: '${AUTH_SECRET}' },
    }),
    mtls: key(mtls, { description: 'Client certificates of the TLS connection.', example: {} }),
    proxy: key(proxy, {
      description: 'Headers that a proxy in front adds.',
      example: { from: ['10.0.0.0/8'], user: 'x-user' },
    }),
    oauth2Proxy: key(knownProxy, {
      description: 'Headers that oauth2-proxy adds.',
      example: { from: ['10.0.0.0/8'] },
    }),
    tailscale: key(knownProxy, {
      description: 'Headers that Tailscale Serve adds.',
      example: { from: ['10.0.0.0/8'] },
    }),
  })),
  undefined,
  said => {
    const kinds = Object.entries(said).filter(
      ([name, value]) => name !== 'name' && name !== 'prefix' && value !== undefined,
    )
    const [kind] = kinds
    if (kind === undefined || kinds.length > 1) throw oneKind()
    return { ...said, name: said.name ?? kind[0] }
  },
)

function oneKind(): ConfigError {
  return new ConfigError({
    place: '',
    problem: 'must have exactly one kind of method',
    hint: 'write one list entry per method, e.g. - jwt: { issuer: ..., audience: ..., jwks: ... }',
  })
}

const lookUp: z.ZodMiniType<CompiledLookUp, LookUpConfig> = parsed(
  section<CompiledLookUp, LookUpConfig>('LookUpConfig', () => ({
    url: key(text, {
      description:
        "Asked by GET with the principal's id in place of `{id}`; answers with JSON. HTTPS, or loopback.",
      example: 'http://127.0.0.1:3000/internal/customers/{id}',
    }),
    postgres: key(storeUrl('postgres:', 'postgresql:'), {
      description: "The application's PostgreSQL. Holds a password: write `${NAME}`.",
      defaultText: '`stores.postgres`',
      example: '${APP_URL}',
    }),
    query: key(text, {
      description: "Query with the principal's id as `$1`, for columns `plan`, `tenant` and `roles`.",
      example: 'SELECT plan, company AS tenant FROM customers WHERE id = $1',
    }),
    cache: key(duration, {
      description: 'How long an answer is cached; at most 20,000 are.',
      default: '30s',
      example: '5s',
    }),
  })),
  undefined,
  said => {
    if ((said.url === undefined) !== (said.query === undefined)) return said
    throw new ConfigError({
      place: '',
      problem: 'needs either url or query',
      hint: "url: 'http://127.0.0.1:3000/customers/{id}', or query: 'SELECT plan FROM customers WHERE id = $1'",
    })
  },
)

const entries: z.ZodMiniType<CompiledIdentifyMethods, readonly IdentifyMethodEntry[]> = parsed(
  listOf(z.union([oneOf('session', 'apiKey', 'oauth'), method]), 32),
  undefined,
  list => {
    const own = list.filter(entry => typeof entry === 'string')
    const methods = list.filter(entry => typeof entry !== 'string')
    const names = [...own, ...methods.map(({ name }) => name)]
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined)
      throw new ConfigError({
        place: '',
        problem: `two methods have the name "${twice}"`,
        hint: 'give one of them another name: { name: customers, jwt: ... }',
      })
    return { own: own.length === 0 ? undefined : own, methods }
  },
)

const by: z.ZodMiniType<CompiledIdentify['by'], IdentifySettings['by']> = z.union([
  z.literal('application'),
  entries,
  inCode<Identify>('a function', value => typeof value === 'function'),
])

const settings: z.ZodMiniType<CompiledIdentify, IdentifySettings> = section<
  CompiledIdentify,
  IdentifySettings
>('IdentifySettings', () => ({
  by: required(by, {
    description: 'A list of methods, a function that returns the principal, or `application`.',
    example: 'application',
  }),
  lookUp: key(lookUp, {
    description: 'Adds plan, tenant and roles to the principal that a method of the list identified.',
    defaultText: 'nothing',
    example: { url: 'http://127.0.0.1:3000/internal/customers/{id}' },
  }),
  deadline: key(duration, {
    description: 'How long a request waits for `by`.',
    default: '1s',
    example: '500ms',
  }),
  onFailure: key(oneOf('anonymous', 'refuse'), {
    description: 'When `by` fails or is late: continue as `anonymous`, or `refuse` with 503.',
    default: 'anonymous',
    example: 'refuse',
  }),
}))

/** `identify`. */
export const identify: z.ZodMiniType<CompiledIdentify | undefined, IdentifyConfig | undefined> = key(
  parsed(z.union([by, settings]), undefined, said =>
    typeof said === 'object' && 'by' in said
      ? said
      : ({ by: said, deadline: 1_000, onFailure: 'anonymous' } as const),
  ),
  {
    description:
      'Says who sends a request: a list of methods, or a function. Bans and limits on addresses are decided before it, those on principals, tenants and API keys after it. `application`: your own code does, later, by `setPrincipal`.',
    defaultText: 'nobody',
    example: [
      { jwt: { issuer: 'https://id.example.com', audience: 'orders', jwks: 'https://id.example.com/jwks' } },
    ],
    applies: 'reload',
  },
)
