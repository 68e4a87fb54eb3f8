import type { Duration } from '@postern/core'
import * as z from 'zod'
import { key, required, section } from '../key.ts'
import { duration, headerName, listOf, text } from '../types.ts'

/** Where the parts of a principal are in claims or in an answer: paths such as `realm_access.roles`. */
export interface PrincipalPathsConfig {
  /** Its id. Default: `sub`. */
  readonly id?: string | undefined
  /** Its roles. Default: `roles`. */
  readonly roles?: string | undefined
  /** Its tenant. Default: none. */
  readonly tenant?: string | undefined
  /** Its plan. Default: none. */
  readonly plan?: string | undefined
}

/** Signed tokens of an issuer. */
export interface JwtConfig {
  /** `iss` of the tokens, exactly. */
  readonly issuer: string
  /** This application, as tokens name it in `aud`; any of several. */
  readonly audience: string | readonly string[]
  /** Where the issuer publishes its keys. HTTPS, or loopback. */
  readonly jwks: string
  /** Types of token, in `typ`; `absent` for tokens that name none. Default: `jwt` and `at+jwt`. */
  readonly types?: readonly string[] | undefined
  /** How far clocks may differ. Default: `30s`. */
  readonly clockSkew?: Duration | undefined
  /** Maximum age of a token, regardless of its expiry. Default: its end decides. */
  readonly maxAge?: Duration | undefined
  /** Cookie that may carry the token. Default: `Authorization` only. */
  readonly cookie?: string | undefined
  /** Header that carries the token alone. Default: `Authorization`. */
  readonly header?: string | undefined
  /** Where the parts of the principal are. Default: see below. */
  readonly claims?: PrincipalPathsConfig | undefined
}

/** Access tokens of Auth0. */
export interface Auth0Config {
  /** `example.eu.auth0.com`. */
  readonly domain: string
  /** Identifier of the API. */
  readonly audience: string
}

/** Session tokens of Clerk. */
export interface ClerkConfig {
  /** Address of the frontend API. */
  readonly frontendApi: string
  /** Origins of your application. */
  readonly origins: readonly string[]
}

/** Access tokens of Amazon Cognito. */
export interface CognitoConfig {
  /** `eu-central-1`. */
  readonly region: string
  /** Id of the user pool. */
  readonly pool: string
  /** Id of the application's client. */
  readonly client: string
}

/** Access tokens of Keycloak. */
export interface KeycloakConfig {
  /** Address of the realm. */
  readonly realm: string
  /** Client that the tokens are for. */
  readonly audience: string
}

/** Access tokens of Microsoft Entra ID. */
export interface EntraConfig {
  /** Id of the tenant. */
  readonly directory: string
  /** Id of the application's registration. */
  readonly audience: string
}

/** Requests that came through Cloudflare Access. */
export interface CloudflareAccessConfig {
  /** Address of the team. */
  readonly team: string
  /** AUD tag of the application. */
  readonly audience: string
}

/** Opaque tokens, asked of the server that issued them (RFC 7662). */
export interface IntrospectionConfig {
  /** Its introspection endpoint. HTTPS, or loopback. */
  readonly url: string
  /** Id of this application there. */
  readonly clientId: string
  /** Secret of this application there. A secret: write `${NAME}`. */
  readonly clientSecret: string
  /** This application, as answers name it in `aud`. */
  readonly audience: string
  /** How long an answer is cached. Default: `10s`. */
  readonly cache?: Duration | undefined
  /** Where the parts of the principal are. Default: see below. */
  readonly claims?: PrincipalPathsConfig | undefined
}

/** Where the parts of a principal are. */
export interface PrincipalPaths {
  readonly id?: string
  readonly roles?: string
  readonly tenant?: string
  readonly plan?: string
}

/** Signed tokens of an issuer; milliseconds. */
export interface CompiledJwt extends Pick<JwtConfig, 'issuer' | 'audience' | 'jwks'> {
  readonly types?: readonly string[]
  readonly clockSkew: number
  readonly maxAge?: number
  readonly cookie?: string
  readonly header?: string
  readonly claims?: PrincipalPaths
}

/** Introspection, checked; milliseconds. */
export interface CompiledIntrospection extends Omit<IntrospectionConfig, 'cache' | 'claims'> {
  readonly cache: number
  readonly claims?: PrincipalPaths
}

/** Paths of a principal. */
export const claims: z.ZodType<PrincipalPaths, PrincipalPathsConfig> = section<
  PrincipalPaths,
  PrincipalPathsConfig
>('PrincipalPathsConfig', {
  id: key(text, { description: 'Its id.', defaultText: '`sub`', example: 'user.id' }),
  roles: key(text, { description: 'Its roles.', defaultText: '`roles`', example: 'realm_access.roles' }),
  tenant: key(text, { description: 'Its tenant.', defaultText: 'none', example: 'org_id' }),
  plan: key(text, { description: 'Its plan.', defaultText: 'none', example: 'plan' }),
})

const claimsKey: z.ZodType<PrincipalPaths | undefined, PrincipalPathsConfig | undefined> = key(claims, {
  description: 'Where the parts of the principal are.',
  defaultText: 'see below',
  example: { id: 'user.id' },
})

/** `jwt` of a method. */
export const jwt: z.ZodType<CompiledJwt, JwtConfig> = section<CompiledJwt, JwtConfig>('JwtConfig', {
  issuer: required(text, {
    description: '`iss` of the tokens, exactly.',
    example: 'https://id.example.com',
  }),
  audience: required(z.union([text, listOf(text, 20)]), {
    description: 'This application, as tokens name it in `aud`; any of several.',
    example: 'orders',
  }),
  jwks: required(text, {
    description: 'Where the issuer publishes its keys. HTTPS, or loopback.',
    example: 'https://id.example.com/jwks',
  }),
  types: key(listOf(text, 10), {
    description: 'Types of token, in `typ`; `absent` for tokens that name none.',
    defaultText: '`jwt` and `at+jwt`',
    example: ['at+jwt'],
  }),
  clockSkew: key(duration, { description: 'How far clocks may differ.', default: '30s', example: '5s' }),
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
  claims: claimsKey,
})

const audienceOf = (description: string, example: string): z.ZodType<string, string> =>
  required(text, { description, example })

/** `auth0` of a method. */
export const auth0: z.ZodType<Auth0Config, Auth0Config> = section<Auth0Config, Auth0Config>('Auth0Config', {
  domain: required(text, {
    description: '`example.eu.auth0.com`.',
    example: 'example.eu.auth0.com',
  }),
  audience: audienceOf('Identifier of the API.', 'https://api.example.com'),
})

/** `clerk` of a method. */
export const clerk: z.ZodType<ClerkConfig, ClerkConfig> = section<ClerkConfig, ClerkConfig>('ClerkConfig', {
  frontendApi: required(text, {
    description: 'Address of the frontend API.',
    example: 'https://clerk.example.com',
  }),
  origins: required(listOf(text, 20), {
    description: 'Origins of your application.',
    example: ['https://app.example.com'],
  }),
})

/** `cognito` of a method. */
export const cognito: z.ZodType<CognitoConfig, CognitoConfig> = section<CognitoConfig, CognitoConfig>(
  'CognitoConfig',
  {
    region: required(text, { description: '`eu-central-1`.', example: 'eu-central-1' }),
    pool: required(text, { description: 'Id of the user pool.', example: 'eu-central-1_aBcDeFgHi' }),
    client: required(text, {
      description: "Id of the application's client.",
      example: '1example23456789',
    }),
  },
)

/** `keycloak` of a method. */
export const keycloak: z.ZodType<KeycloakConfig, KeycloakConfig> = section<KeycloakConfig, KeycloakConfig>(
  'KeycloakConfig',
  {
    realm: required(text, {
      description: 'Address of the realm.',
      example: 'https://id.example.com/realms/shop',
    }),
    audience: audienceOf('Client that the tokens are for.', 'orders'),
  },
)

/** `entra` of a method. */
export const entra: z.ZodType<EntraConfig, EntraConfig> = section<EntraConfig, EntraConfig>('EntraConfig', {
  directory: required(text, {
    description: 'Id of the tenant.',
    example: '11111111-2222-3333-4444-555555555555',
  }),
  audience: audienceOf("Id of the application's registration.", '66666666-7777-8888-9999-000000000000'),
})

/** `cloudflareAccess` of a method. */
export const cloudflareAccess: z.ZodType<CloudflareAccessConfig, CloudflareAccessConfig> = section<
  CloudflareAccessConfig,
  CloudflareAccessConfig
>('CloudflareAccessConfig', {
  team: required(text, {
    description: 'Address of the team.',
    example: 'https://example.cloudflareaccess.com',
  }),
  audience: audienceOf('AUD tag of the application.', '4714c1358e65fe4b408ad6d432a5f878'),
})

/** `introspection` of a method. */
export const introspection: z.ZodType<CompiledIntrospection, IntrospectionConfig> = section<
  CompiledIntrospection,
  IntrospectionConfig
>('IntrospectionConfig', {
  url: required(text, {
    description: 'Its introspection endpoint. HTTPS, or loopback.',
    example: 'https://id.example.com/introspect',
  }),
  clientId: required(text, { description: 'Id of this application there.', example: 'orders' }),
  clientSecret: required(text, {
    description: 'Secret of this application there. A secret: write `${NAME}`.',
    example: '${CLIENT_SECRET}',
  }),
  audience: audienceOf('This application, as answers name it in `aud`.', 'orders'),
  cache: key(duration, { description: 'How long an answer is cached.', default: '10s', example: '2s' }),
  claims: claimsKey,
})
