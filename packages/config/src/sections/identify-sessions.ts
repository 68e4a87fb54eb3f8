import type { CidrSet, Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, required, section } from '../key/key.ts'
import { addressSet, duration, headerName, listOf, text } from '../key/types.ts'
import { claims, type PrincipalPaths, type PrincipalPathsConfig } from './identify-tokens.ts'

/** Sessions that the application keeps, asked of it with the request's cookies. */
export interface SessionUrlConfig {
  /** The application's session cookie; any of several. */
  readonly cookie: string | readonly string[]
  /**
   * Address that is asked with the cookie and answers with JSON about who is signed in. HTTPS, or loopback.
   */
  readonly url: string
  /** How long an answer is cached. Default: `5s`. */
  readonly cache?: Duration | undefined
  /** Where the parts of the principal are in the answer. Default: see below. */
  readonly claims?: PrincipalPathsConfig | undefined
}

/** Sessions of better-auth. */
export interface BetterAuthConfig {
  /** Address of better-auth: `baseURL` with `basePath`, such as `http://127.0.0.1:3000/api/auth`. */
  readonly url: string
  /** Prefix of the cookies: `cookiePrefix` of better-auth. Default: `better-auth`. */
  readonly prefix?: string | undefined
}

/** Sessions of Auth.js that are kept in the cookie. */
export interface AuthJsConfig {
  /** `AUTH_SECRET` of Auth.js, or `NEXTAUTH_SECRET` of NextAuth 4. A secret: write `${NAME}`. */
  readonly secret: string
}

/** Client certificates. */
export interface CertificateConfig {
  /** Header in which a trusted proxy passes the certificate on. Default: the connection's own only. */
  readonly header?: string | undefined
}

/** Headers in which a proxy in front says who acts. */
export interface ProxyHeadersConfig {
  /** Addresses of the proxy; from anybody else its headers are removed. */
  readonly from: readonly string[]
  /** Name of the header with the id of the user. */
  readonly user: string
  /** Name of the header with the user's groups, separated by commas; they become roles. Default: none. */
  readonly groups?: string | undefined
}

/** A proxy whose headers are known. */
export interface KnownProxyConfig {
  /** Addresses of the proxy; from anybody else its headers are removed. */
  readonly from: readonly string[]
}

/** Sessions asked of the application, checked; milliseconds. */
export interface CompiledSessionUrl extends Omit<SessionUrlConfig, 'cache' | 'claims'> {
  readonly cache: number
  readonly claims?: PrincipalPaths
}

/** Sessions of better-auth, checked. */
export interface CompiledBetterAuth {
  readonly url: string
  readonly prefix?: string
}

/** Client certificates, checked. */
export interface CompiledCertificate {
  readonly header?: string
}

/** A proxy whose headers are known, checked. */
export interface CompiledKnownProxy {
  readonly from: CidrSet
}

/** Headers of a proxy, checked. */
export interface CompiledProxyHeaders extends CompiledKnownProxy {
  readonly user: string
  readonly groups?: string
}

/** `sessionUrl` of a method. */
export const sessionUrl: z.ZodMiniType<CompiledSessionUrl, SessionUrlConfig> = section<
  CompiledSessionUrl,
  SessionUrlConfig
>('SessionUrlConfig', () => ({
  cookie: required(z.union([text, listOf(text, 5)]), {
    description: "The application's session cookie; any of several.",
    example: 'connect.sid',
  }),
  url: required(text, {
    description:
      'Address that is asked with the cookie and answers with JSON about who is signed in. HTTPS, or loopback.',
    example: 'http://127.0.0.1:3000/api/me',
  }),
  cache: key(duration, { description: 'How long an answer is cached.', default: '5s', example: '1s' }),
  claims: key(claims, {
    description: 'Where the parts of the principal are in the answer.',
    defaultText: 'see below',
    example: { id: 'user.id' },
  }),
}))

/** `betterAuth` of a method. */
export const betterAuth: z.ZodMiniType<CompiledBetterAuth, BetterAuthConfig> = section<
  CompiledBetterAuth,
  BetterAuthConfig
>('BetterAuthConfig', () => ({
  url: required(text, {
    description:
      'Address of better-auth: `baseURL` with `basePath`, such as `http://127.0.0.1:3000/api/auth`.',
    example: 'http://127.0.0.1:3000/api/auth',
  }),
  prefix: key(text, {
    description: 'Prefix of the cookies: `cookiePrefix` of better-auth.',
    defaultText: '`better-auth`',
    example: 'shop',
  }),
}))

/** `authJs` of a method. */
export const authJs: z.ZodMiniType<AuthJsConfig, AuthJsConfig> = section<AuthJsConfig, AuthJsConfig>(
  'AuthJsConfig',
  () => ({
    secret: required(text, {
      description: '`AUTH_SECRET` of Auth.js, or `NEXTAUTH_SECRET` of NextAuth 4. A secret: write `${NAME}`.',
      example: '${AUTH_SECRET}',
    }),
  }),
)

/** `mtls` of a method. */
export const mtls: z.ZodMiniType<CompiledCertificate, CertificateConfig> = section<
  CompiledCertificate,
  CertificateConfig
>('CertificateConfig', () => ({
  header: key(headerName, {
    description: 'Header in which a trusted proxy passes the certificate on.',
    defaultText: "the connection's own only",
    example: 'x-client-cert',
  }),
}))

const from: z.ZodMiniType<CidrSet, readonly string[]> = required(addressSet, {
  description: 'Addresses of the proxy; from anybody else its headers are removed.',
  example: ['10.0.0.0/8'],
})

/** `proxy` of a method. */
export const proxy: z.ZodMiniType<CompiledProxyHeaders, ProxyHeadersConfig> = section<
  CompiledProxyHeaders,
  ProxyHeadersConfig
>('ProxyHeadersConfig', () => ({
  from,
  user: required(headerName, {
    description: 'Name of the header with the id of the user.',
    example: 'x-user',
  }),
  groups: key(headerName, {
    description: "Name of the header with the user's groups, separated by commas; they become roles.",
    defaultText: 'none',
    example: 'x-groups',
  }),
}))

/** `oauth2Proxy` and `tailscale` of a method. */
export const knownProxy: z.ZodMiniType<CompiledKnownProxy, KnownProxyConfig> = section<
  CompiledKnownProxy,
  KnownProxyConfig
>('KnownProxyConfig', () => ({ from }))
