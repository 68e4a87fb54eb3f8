import { type Clock, ConfigError, givenText } from '@postern/core'
import type { Fetch } from './fetch-json.ts'
import type { JwtMethodOptions } from './jwt-method.ts'
import { remoteKeySet } from './remote-key-set.ts'

/** The network and the time, for tests. */
export interface PresetEnvironment {
  readonly fetch?: Fetch
  readonly clock?: Clock
}

interface Addresses {
  readonly issuer: string
  readonly jwks: string
}

function preset(
  { issuer, jwks }: Addresses,
  rest: Omit<JwtMethodOptions, 'issuer' | 'keys'>,
  environment: PresetEnvironment,
): JwtMethodOptions {
  return {
    ...rest,
    ...(environment.clock !== undefined && { clock: environment.clock }),
    issuer,
    keys: remoteKeySet({ url: jwks, ...environment }),
  }
}

/**
 * Clerk session tokens, in `Authorization` or the `__session` cookie. They name no audience:
 * `azp` is the origin of the application.
 * @param frontendApi `https://clerk.example.com`
 * @param origins of your application: `https://app.example.com`
 */
export function clerk(
  frontendApi: string,
  origins: string | readonly string[],
  environment: PresetEnvironment = {},
): JwtMethodOptions {
  const issuer = origin(frontendApi, 'clerk')
  return preset(
    { issuer, jwks: `${issuer}/.well-known/jwks.json` },
    {
      audience: origins,
      audienceClaim: 'azp',
      cookie: '__session',
      claims: { tenant: 'org_id', roles: 'org_role' },
    },
    environment,
  )
}

/**
 * Auth0 access tokens for an API.
 * @param domain `example.eu.auth0.com`
 * @param audience identifier of the API
 */
export function auth0(
  domain: string,
  audience: string,
  environment: PresetEnvironment = {},
): JwtMethodOptions {
  const issuer = `${origin(domain, 'auth0')}/`
  return preset(
    { issuer, jwks: `${issuer}.well-known/jwks.json` },
    { audience, claims: { tenant: 'org_id', roles: 'permissions' } },
    environment,
  )
}

/**
 * Amazon Cognito access tokens. They have no `typ` and no `aud`: the application is in `client_id`, and
 * `token_use` sets them apart from ID tokens.
 * @param region `eu-central-1`
 * @param pool id of the user pool
 * @param client id of the application's client
 */
export function cognito(
  region: string,
  pool: string,
  client: string,
  environment: PresetEnvironment = {},
): JwtMethodOptions {
  const issuer = `${origin(`cognito-idp.${region}.amazonaws.com`, 'cognito')}/${encodeURIComponent(pool)}`
  return preset(
    { issuer, jwks: `${issuer}/.well-known/jwks.json` },
    {
      audience: client,
      audienceClaim: 'client_id',
      types: ['absent', 'jwt'],
      exactly: { token_use: 'access' },
      claims: { roles: 'cognito:groups' },
    },
    environment,
  )
}

/**
 * Keycloak access tokens.
 * @param realm address of the realm: `https://id.example.com/realms/shop`
 * @param audience client that the tokens must be for (an audience mapper puts it in)
 */
export function keycloak(
  realm: string,
  audience: string,
  environment: PresetEnvironment = {},
): JwtMethodOptions {
  const issuer = realm.replace(/\/$/, '')
  return preset(
    { issuer, jwks: `${issuer}/protocol/openid-connect/certs` },
    { audience, exactly: { typ: 'Bearer' }, claims: { roles: 'realm_access.roles' } },
    environment,
  )
}

/**
 * Microsoft Entra ID access tokens (version 2) of one directory.
 * @param directory id of the tenant; a name such as `common` has no issuer of its own and is refused
 * @param audience id of the application's registration
 */
export function entra(
  directory: string,
  audience: string,
  environment: PresetEnvironment = {},
): JwtMethodOptions {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(directory))
    throw new ConfigError({
      place: 'identify.entra',
      problem: 'the directory is not a tenant id',
      hint: 'with "common" or a domain anybody with any directory could sign in; use the id of yours',
    })
  const base = `https://login.microsoftonline.com/${directory.toLowerCase()}`
  return preset(
    { issuer: `${base}/v2.0`, jwks: `${base}/discovery/v2.0/keys` },
    {
      audience,
      exactly: { ver: '2.0', tid: directory.toLowerCase() },
      claims: { id: 'oid', tenant: 'tid', roles: 'roles' },
    },
    environment,
  )
}

/** `https://` and a host, given with or without the scheme. */
function origin(given: string, place: string): string {
  const text = givenText(given, `identify.${place}`)
  const url = URL.canParse(text.includes('://') ? text : `https://${text}`)
    ? new URL(text.includes('://') ? text : `https://${text}`)
    : undefined
  if (
    url !== undefined &&
    url.protocol === 'https:' &&
    url.pathname === '/' &&
    url.search === '' &&
    url.username === ''
  )
    return url.origin
  throw new ConfigError({
    place: `identify.${place}`,
    problem: `"${text.slice(0, 100)}" is not a host`,
    hint: 'write the host, e.g. example.eu.auth0.com',
  })
}
