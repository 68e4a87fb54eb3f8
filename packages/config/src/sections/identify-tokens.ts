import { ConfigError, type Duration } from '@postern/core'
import * as z from 'zod/mini'
import { checked, key, parsed, required, section } from '../key/key.ts'
import { duration, headerName, listOf, text } from '../key/types.ts'

/** Bytes of a secret for HS256 (RFC 7518 section 3.2). */
const LEAST_SECRET = 32

/** Where the parts of a principal are in claims or in an answer: paths such as `realm_access.roles`. */
export interface PrincipalPathsConfig {
  /** Path of the principal's id in the claims. Default: `sub`. */
  readonly id?: string | undefined
  /** Path of the roles: a list, or a text with spaces between them. Default: `roles`. */
  readonly roles?: string | undefined
  /** Path of the tenant's id. Default: none. */
  readonly tenant?: string | undefined
  /** Path of the plan's name. Default: none. */
  readonly plan?: string | undefined
  /**
   * Path of the time at which the person proved who they are: seconds since 1970, or an ISO 8601 date. Rules
   * with `stepUp` need it, and whoever signs in again after a revocation. Default: `auth_time`.
   */
  readonly authenticatedAt?: string | undefined
}

/** Signed tokens of an issuer. */
export interface JwtConfig {
  /** Issuer of the tokens, exactly as they name it in `iss`. */
  readonly issuer: string
  /** This application, as tokens name it in `aud`; any of several. */
  readonly audience: string | readonly string[]
  /** Where the issuer publishes its keys. HTTPS, or loopback. Default: `secret`. */
  readonly jwks?: string | undefined
  /**
   * What tokens are signed with by HS256, in place of `jwks`: at least 32 bytes. A secret: write `${NAME}`.
   * Default: `jwks`.
   */
  readonly secret?: string | undefined
  /** Types of token, in `typ`; `absent` for tokens that name none. Default: `jwt` and `at+jwt`. */
  readonly types?: readonly string[] | undefined
  /** How far the clocks of the issuer and of this machine may differ. Default: `30s`. */
  readonly clockSkew?: Duration | undefined
  /** Maximum age of a token, regardless of its expiry. Default: its end decides. */
  readonly maxAge?: Duration | undefined
  /** Cookie that may carry the token. Default: `Authorization` only. */
  readonly cookie?: string | undefined
  /** Header that carries the token alone. Default: `Authorization`. */
  readonly header?: string | undefined
  /**
   * Origins, such as `https://api.shop.example`, that proofs of possession (DPoP) may be for. Set it: the
   * host of a request is what its sender writes, and a proof made for another service would fit. Default: the
   * host that the request names.
   */
  readonly origins?: readonly string[] | undefined
  /**
   * Where the claims hold the id, roles, tenant and plan of the principal, and the time of the sign-in, with
   * dots between names. Default: see below.
   */
  readonly claims?: PrincipalPathsConfig | undefined
}

/** Access tokens of Auth0. */
export interface Auth0Config {
  /** Host name of the tenant at Auth0, without `https://`. */
  readonly domain: string
  /** Identifier of the API at Auth0, as its tokens name it in `aud`. */
  readonly audience: string
}

/** Session tokens of Clerk. */
export interface ClerkConfig {
  /** Address of the Frontend API, as Clerk's dashboard shows it under API keys. */
  readonly frontendApi: string
  /** Origins of your application, one of which `azp` of a token must name. */
  readonly origins: readonly string[]
}

/** Access tokens of Amazon Cognito. */
export interface CognitoConfig {
  /** AWS region of the user pool. */
  readonly region: string
  /** Id of the user pool. */
  readonly pool: string
  /** Id of the app client that the tokens are for. */
  readonly client: string
}

/** Access tokens of Keycloak. */
export interface KeycloakConfig {
  /** Address of the realm, `https://HOST/realms/NAME`. */
  readonly realm: string
  /** Client that the tokens are for, as they name it in `aud`. */
  readonly audience: string
}

/** Access tokens of Microsoft Entra ID. */
export interface EntraConfig {
  /** Id of the tenant (directory), a UUID. */
  readonly directory: string
  /** Id of the app registration, as tokens name it in `aud`. */
  readonly audience: string
}

/** Requests that came through Cloudflare Access. */
export interface CloudflareAccessConfig {
  /** Address of the team, `https://NAME.cloudflareaccess.com`. */
  readonly team: string
  /** Audience (AUD) tag of the application in Cloudflare Access. */
  readonly audience: string
}

/** Opaque tokens, asked of the server that issued them (RFC 7662). */
export interface IntrospectionConfig {
  /** Introspection endpoint of the server (RFC 7662). HTTPS, or loopback. */
  readonly url: string
  /** `client_id` by which this application signs in to that server. */
  readonly clientId: string
  /** `client_secret` by which this application signs in to that server. A secret: write `${NAME}`. */
  readonly clientSecret: string
  /** This application, as answers name it in `aud`. */
  readonly audience: string
  /** How long an answer is cached. Default: `10s`. */
  readonly cache?: Duration | undefined
  /**
   * Origins, such as `https://api.shop.example`, that proofs of possession (DPoP) may be for. Set it: the
   * host of a request is what its sender writes, and a proof made for another service would fit. Default: the
   * host that the request names.
   */
  readonly origins?: readonly string[] | undefined
  /**
   * Where the claims hold the id, roles, tenant and plan of the principal, and the time of the sign-in, with
   * dots between names. Default: see below.
   */
  readonly claims?: PrincipalPathsConfig | undefined
}

/** Where the parts of a principal are. */
export interface PrincipalPaths {
  readonly id?: string
  readonly roles?: string
  readonly tenant?: string
  readonly plan?: string
  readonly authenticatedAt?: string
}

/** Signed tokens of an issuer; milliseconds. */
export interface CompiledJwt extends Pick<JwtConfig, 'issuer' | 'audience'> {
  readonly jwks?: string
  readonly secret?: string
  readonly types?: readonly string[]
  readonly clockSkew: number
  readonly maxAge?: number
  readonly cookie?: string
  readonly header?: string
  readonly origins?: readonly string[]
  readonly claims?: PrincipalPaths
}

/** Introspection, checked; milliseconds. */
export interface CompiledIntrospection extends Omit<IntrospectionConfig, 'cache' | 'claims' | 'origins'> {
  readonly cache: number
  readonly origins?: readonly string[]
  readonly claims?: PrincipalPaths
}

/** Paths of a principal. */
export const claims: z.ZodMiniType<PrincipalPaths, PrincipalPathsConfig> = section<
  PrincipalPaths,
  PrincipalPathsConfig
>('PrincipalPathsConfig', () => ({
  id: key(text, {
    description: "Path of the principal's id in the claims.",
    defaultText: '`sub`',
    example: 'user.id',
  }),
  roles: key(text, {
    description: 'Path of the roles: a list, or a text with spaces between them.',
    defaultText: '`roles`',
    example: 'realm_access.roles',
  }),
  tenant: key(text, { description: "Path of the tenant's id.", defaultText: 'none', example: 'org_id' }),
  plan: key(text, { description: "Path of the plan's name.", defaultText: 'none', example: 'plan' }),
  authenticatedAt: key(text, {
    description:
      'Path of the time at which the person proved who they are: seconds since 1970, or an ISO 8601 date. Rules with `stepUp` need it, and whoever signs in again after a revocation.',
    defaultText: '`auth_time`',
    example: 'user.signedInAt',
  }),
}))

const claimsKey: z.ZodMiniType<PrincipalPaths | undefined, PrincipalPathsConfig | undefined> = key(claims, {
  description:
    'Where the claims hold the id, roles, tenant and plan of the principal, and the time of the sign-in, with dots between names.',
  defaultText: 'see below',
  example: { id: 'user.id' },
})

const origins: z.ZodMiniType<readonly string[] | undefined, readonly string[] | undefined> = key(
  listOf(text, 10),
  {
    description:
      'Origins, such as `https://api.shop.example`, that proofs of possession (DPoP) may be for. Set it: the host of a request is what its sender writes, and a proof made for another service would fit.',
    defaultText: 'the host that the request names',
    example: ['https://api.shop.example'],
  },
)

const ownSecret = checked(text, 'text of at least 32 bytes', value => {
  const length = Buffer.byteLength(value)
  if (length < LEAST_SECRET)
    throw new ConfigError({
      place: '',
      problem: `has ${length} bytes, and HS256 needs at least ${LEAST_SECRET} (RFC 7518)`,
      hint: 'openssl rand -base64 32',
    })
})

/** `jwt` of a method. */
export const jwt: z.ZodMiniType<CompiledJwt, JwtConfig> = parsed(
  section<CompiledJwt, JwtConfig>('JwtConfig', () => ({
    issuer: required(text, {
      description: 'Issuer of the tokens, exactly as they name it in `iss`.',
      example: 'https://id.example.com',
    }),
    audience: required(z.union([text, listOf(text, 20)]), {
      description: 'This application, as tokens name it in `aud`; any of several.',
      example: 'orders',
    }),
    jwks: key(text, {
      description: 'Where the issuer publishes its keys. HTTPS, or loopback.',
      defaultText: '`secret`',
      example: 'https://id.example.com/jwks',
    }),
    secret: key(ownSecret, {
      description:
        'What tokens are signed with by HS256, in place of `jwks`: at least 32 bytes. A secret: write `${NAME}`.',
      defaultText: '`jwks`',
      example: '${JWT_SECRET}',
    }),
    types: key(listOf(text, 10), {
      description: 'Types of token, in `typ`; `absent` for tokens that name none.',
      defaultText: '`jwt` and `at+jwt`',
      example: ['at+jwt'],
    }),
    clockSkew: key(duration, {
      description: 'How far the clocks of the issuer and of this machine may differ.',
      default: '30s',
      example: '5s',
    }),
    maxAge: key(duration, {
      description: 'Maximum age of a token, regardless of its expiry.',
      defaultText: 'its end decides',
      example: '1h',
    }),
    cookie: key(text, {
      description: 'Cookie that may carry the token.',
      defaultText: '`Authorization` only',
      example: '__session',
    }),
    header: key(headerName, {
      description: 'Header that carries the token alone.',
      defaultText: '`Authorization`',
      example: 'x-user-token',
    }),
    origins,
    claims: claimsKey,
  })),
  undefined,
  said => {
    if ((said.jwks === undefined) === (said.secret === undefined))
      throw new ConfigError({
        place: '',
        problem: 'needs jwks or secret, one of them',
        hint: 'jwks is the address of public keys, secret is for tokens that your application signs by HS256',
      })
    return said
  },
)

const audienceOf = (description: string, example: string): z.ZodMiniType<string, string> =>
  required(text, { description, example })

/** `auth0` of a method. */
export const auth0: z.ZodMiniType<Auth0Config, Auth0Config> = section<Auth0Config, Auth0Config>(
  'Auth0Config',
  () => ({
    domain: required(text, {
      description: 'Host name of the tenant at Auth0, without `https://`.',
      example: 'example.eu.auth0.com',
    }),
    audience: audienceOf(
      'Identifier of the API at Auth0, as its tokens name it in `aud`.',
      'https://api.example.com',
    ),
  }),
)

/** `clerk` of a method. */
export const clerk: z.ZodMiniType<ClerkConfig, ClerkConfig> = section<ClerkConfig, ClerkConfig>(
  'ClerkConfig',
  () => ({
    frontendApi: required(text, {
      description: "Address of the Frontend API, as Clerk's dashboard shows it under API keys.",
      example: 'https://clerk.example.com',
    }),
    origins: required(listOf(text, 20), {
      description: 'Origins of your application, one of which `azp` of a token must name.',
      example: ['https://app.example.com'],
    }),
  }),
)

/** `cognito` of a method. */
export const cognito: z.ZodMiniType<CognitoConfig, CognitoConfig> = section<CognitoConfig, CognitoConfig>(
  'CognitoConfig',
  () => ({
    region: required(text, { description: 'AWS region of the user pool.', example: 'eu-central-1' }),
    pool: required(text, { description: 'Id of the user pool.', example: 'eu-central-1_aBcDeFgHi' }),
    client: required(text, {
      description: 'Id of the app client that the tokens are for.',
      example: '1example23456789',
    }),
  }),
)

/** `keycloak` of a method. */
export const keycloak: z.ZodMiniType<KeycloakConfig, KeycloakConfig> = section<
  KeycloakConfig,
  KeycloakConfig
>('KeycloakConfig', () => ({
  realm: required(text, {
    description: 'Address of the realm, `https://HOST/realms/NAME`.',
    example: 'https://id.example.com/realms/shop',
  }),
  audience: audienceOf('Client that the tokens are for, as they name it in `aud`.', 'orders'),
}))

/** `entra` of a method. */
export const entra: z.ZodMiniType<EntraConfig, EntraConfig> = section<EntraConfig, EntraConfig>(
  'EntraConfig',
  () => ({
    directory: required(text, {
      description: 'Id of the tenant (directory), a UUID.',
      example: '11111111-2222-3333-4444-555555555555',
    }),
    audience: audienceOf(
      'Id of the app registration, as tokens name it in `aud`.',
      '66666666-7777-8888-9999-000000000000',
    ),
  }),
)

/** `cloudflareAccess` of a method. */
export const cloudflareAccess: z.ZodMiniType<CloudflareAccessConfig, CloudflareAccessConfig> = section<
  CloudflareAccessConfig,
  CloudflareAccessConfig
>('CloudflareAccessConfig', () => ({
  team: required(text, {
    description: 'Address of the team, `https://NAME.cloudflareaccess.com`.',
    example: 'https://example.cloudflareaccess.com',
  }),
  audience: audienceOf(
    'Audience (AUD) tag of the application in Cloudflare Access.',
    '4714c1358e65fe4b408ad6d432a5f878',
  ),
}))

/** `introspection` of a method. */
export const introspection: z.ZodMiniType<CompiledIntrospection, IntrospectionConfig> = section<
  CompiledIntrospection,
  IntrospectionConfig
>('IntrospectionConfig', () => ({
  url: required(text, {
    description: 'Introspection endpoint of the server (RFC 7662). HTTPS, or loopback.',
    example: 'https://id.example.com/introspect',
  }),
  clientId: required(text, {
    description: '`client_id` by which this application signs in to that server.',
    example: 'orders',
  }),
  clientSecret: required(text, {
    description:
      '`client_secret` by which this application signs in to that server. A secret: write `${NAME}`.',
    example: '${CLIENT_SECRET}',
  }),
  audience: audienceOf('This application, as answers name it in `aud`.', 'orders'),
  cache: key(duration, { description: 'How long an answer is cached.', default: '10s', example: '2s' }),
  origins,
  claims: claimsKey,
}))
