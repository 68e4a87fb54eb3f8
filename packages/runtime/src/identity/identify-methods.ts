import type { CompiledIdentifyMethod, CompiledLookUp } from '@postern/config'
import { type CidrSet, ConfigError, type Event, type Exchange, type Identify } from '@postern/core'
import {
  auth0,
  authJs,
  betterAuth,
  certificateMethod,
  clerk,
  cloudflareAccess,
  cognito,
  enriched,
  entra,
  type IdentifyMethod,
  identifyBy,
  introspectionMethod,
  jwtMethod,
  keycloak,
  oauth2Proxy,
  proxyMethod,
  sessionMethod,
  sessionUrl,
  tailscale,
} from '@postern/identity'
import { usedProofs } from '@postern/identity/stores'
import {
  type CertificateSource,
  type Claims,
  type DpopProofs,
  dpopProofs,
  type EnrichmentLookUp,
  httpLookUp,
  type KeySet,
  localKeySet,
  postgresLookUp,
  prefixed,
  principalOf,
  remoteKeySet,
  screenBy,
} from '@postern/identity/verify'
import type { Connections } from '../stores/connections.ts'

export interface IdentifyMethodsOptions {
  readonly methods: readonly CompiledIdentifyMethod[]
  readonly lookUp: CompiledLookUp | undefined
  readonly trustProxies: CidrSet
  /** Absent where everything is in memory. */
  readonly connections: Connections | undefined
  readonly onEvent: (event: Event) => void
}

/** The methods of a configuration as one. */
export interface ConfiguredMethods {
  readonly identify: Identify
  /** Removes headers that only a trusted proxy may send; `identify` does so too. */
  readonly screen: (exchange: Exchange) => void
}

/** @throws ConfigError for a method that cannot be put together */
export function identifyMethods(options: IdentifyMethodsOptions): ConfiguredMethods {
  const { methods, lookUp, trustProxies, connections, onEvent } = options
  const more = lookUp === undefined ? undefined : lookUpOf(lookUp, connections)
  const bound: Bound = {
    dpop: proofsIn(connections),
    certificate: certificateIn(methods, trustProxies),
    trustedProxies: trustProxies,
  }
  const made = methods.map(settings => {
    const method = methodOf(settings, trustProxies, bound)
    const whole = more === undefined ? method : enriched(method, more, { cache: lookUp?.cache ?? 0 })
    return settings.prefix === undefined ? whole : prefixed(whole, settings.prefix)
  })
  return { identify: identifyBy(made, { onEvent }), screen: screenBy(made) }
}

/** What tokens that are bound to a key or to a certificate are checked with. */
interface Bound {
  readonly dpop: DpopProofs
  readonly certificate: CertificateSource
  readonly trustedProxies: CidrSet
}

/** One place says where certificates come from, for those that identify and for those that tokens name. */
function certificateIn(
  methods: readonly CompiledIdentifyMethod[],
  trustedProxies: CidrSet,
): CertificateSource {
  const header = methods.map(({ mtls }) => mtls?.header).find(name => name !== undefined)
  return header === undefined ? {} : { header, trustedProxies }
}

function methodOf(settings: CompiledIdentifyMethod, trustedProxies: CidrSet, bound: Bound): IdentifyMethod {
  const { name } = settings
  const token = tokenMethod(settings, bound) ?? sessionOfApplication(settings)
  if (token !== undefined) return token
  const { mtls, proxy, oauth2Proxy: known, tailscale: served } = settings
  if (mtls !== undefined) return certificateMethod({ ...mtls, name, trustedProxies })
  if (proxy !== undefined) return proxyMethod({ ...proxy, name })
  if (known !== undefined) return { ...oauth2Proxy(known.from), name }
  if (served !== undefined) return { ...tailscale(served.from), name }
  throw new ConfigError({
    place: 'identify',
    problem: `the method "${name}" is of an unknown kind`,
    hint: 'docs/configuration.md lists the methods of `identify`',
  })
}

/** Proofs that were used, in the place that all processes share, where there is one. */
function proofsIn(connections: Connections | undefined): DpopProofs {
  if (connections === undefined) return dpopProofs()
  const { redis, postgres, isMemoryOnly } = connections
  if (redis === undefined && postgres === undefined && isMemoryOnly) return dpopProofs()
  return dpopProofs({
    used: usedProofs(() =>
      redis === undefined && postgres === undefined ? { sqlite: connections.sqlite } : { redis, postgres },
    ),
  })
}

function tokenMethod(settings: CompiledIdentifyMethod, bound: Bound): IdentifyMethod | undefined {
  const { name, jwt, auth0: a, clerk: c, cognito: g, keycloak: k, entra: e, cloudflareAccess: f } = settings
  if (jwt !== undefined) {
    const { jwks, secret, ...rest } = jwt
    const keys = secret === undefined ? remoteKeySet({ url: jwks ?? '' }) : secretKeySet(secret)
    return jwtMethod({ ...rest, ...bound, name, keys })
  }
  if (a !== undefined) return jwtMethod({ ...bound, ...auth0(a.domain, a.audience), name })
  if (c !== undefined) return jwtMethod({ ...bound, ...clerk(c.frontendApi, c.origins), name })
  if (g !== undefined) return jwtMethod({ ...bound, ...cognito(g.region, g.pool, g.client), name })
  if (k !== undefined) return jwtMethod({ ...bound, ...keycloak(k.realm, k.audience), name })
  if (e !== undefined) return jwtMethod({ ...bound, ...entra(e.directory, e.audience), name })
  if (f !== undefined) return { ...cloudflareAccess(f.team, f.audience, bound), name }
  const { introspection } = settings
  return introspection === undefined ? undefined : introspectionMethod({ ...introspection, ...bound, name })
}

/** One secret, and HS256 alone: a token that names another algorithm finds no key. */
function secretKeySet(secret: string): KeySet {
  const k = Buffer.from(secret).toString('base64url')
  return localKeySet({ keys: [{ kty: 'oct', alg: 'HS256', k }] }, ['HS256'])
}

function sessionOfApplication(settings: CompiledIdentifyMethod): IdentifyMethod | undefined {
  const { name, sessionUrl: asked, betterAuth: better, authJs: own } = settings
  if (better !== undefined) return sessionMethod({ ...betterAuth(better), name })
  if (own !== undefined) return sessionMethod({ ...authJs(own), name })
  if (asked === undefined) return undefined
  const { cookie, url, cache, claims } = asked
  const find = sessionUrl({
    url,
    principal: answer =>
      typeof answer === 'object' && answer !== null ? principalOf(answer as Claims, claims) : undefined,
  })
  return sessionMethod({ cookie, find, cache, name })
}

function lookUpOf(
  { url, postgres, query }: CompiledLookUp,
  connections: Connections | undefined,
): EnrichmentLookUp {
  if (url !== undefined) return httpLookUp(url)
  const database = postgres === undefined ? connections?.postgres : connections?.application(postgres)
  if (database === undefined)
    throw new ConfigError({
      place: 'identify.lookUp.query',
      problem: 'needs a database',
      hint: "name it: postgres: '${APP_URL}' in identify.lookUp, or stores.postgres",
    })
  return postgresLookUp(database, query ?? '')
}
