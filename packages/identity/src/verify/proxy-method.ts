import { type CidrSet, ConfigError, type Exchange, type Principal } from '@postern/core'
import { BY_CONNECTION, identifiedBy } from './credential.ts'
import { ABSENT, type IdentifyMethod, known, REFUSED, removeHeaders, sentNames } from './identify-method.ts'
import { type JwtMethodOptions, jwtMethod } from './jwt-method.ts'
import type { PresetEnvironment } from './presets.ts'
import { remoteKeySet } from './remote-key-set.ts'

export interface ProxyHeaderOptions {
  /** Default: `proxy`. */
  readonly name?: string
  /**
   * Proxies whose identity headers are trusted. From anybody else they are removed
   * before the handler or backend sees them.
   */
  readonly from: CidrSet
  /** Header with the user's id. */
  readonly user: string
  /** Header with groups, comma-separated. */
  readonly groups?: string
  /** Further headers of the same proxy that only it may send; `x-corp-*` is all that begin so. */
  readonly also?: readonly string[]
}

/**
 * Identifies by headers that a trusted proxy in front of us sets. A request that did not come through it
 * cannot bring them: they identify nobody, and are removed before the backend, which may trust them too.
 * @throws ConfigError when nobody is trusted
 */
export function proxyMethod(options: ProxyHeaderOptions): IdentifyMethod {
  if (options.from.isEmpty)
    throw new ConfigError({
      place: 'identify.proxy.from',
      problem: 'no proxy is trusted',
      hint: 'name its address or network, e.g. 10.0.0.0/8',
    })
  const user = options.user.toLowerCase()
  const groups = options.groups?.toLowerCase()
  const all = [
    user,
    ...(groups === undefined ? [] : [groups]),
    ...(options.also ?? []).map(name => name.toLowerCase()),
  ]
  return {
    name: options.name ?? 'proxy',
    screen: exchange => {
      if (!options.from.has(exchange.peer)) removeHeaders(exchange, sentNames(exchange, all))
    },
    identify: exchange => {
      if (!options.from.has(exchange.peer)) return ABSENT
      const count = exchange.headerCount(user)
      if (count === 0) return ABSENT
      // A proxy sets each once; the other one is what its client sent.
      const isSingle = count === 1 && (groups === undefined || exchange.headerCount(groups) <= 1)
      const principal = isSingle ? principalOf(exchange, user, groups) : undefined
      return principal === undefined
        ? REFUSED
        : known(identifiedBy(principal, { ...BY_CONNECTION, headers: sentNames(exchange, all) }))
    },
  }
}

function principalOf(exchange: Exchange, user: string, groups: string | undefined): Principal | undefined {
  const id = exchange.header(user)?.trim() ?? ''
  if (id === '' || id.length > 256) return undefined
  const roles = groups === undefined ? undefined : exchange.header(groups)
  return {
    kind: 'user',
    id,
    ...(roles !== undefined && {
      roles: roles
        .split(',')
        .map(role => role.trim())
        .filter(role => role !== ''),
    }),
  }
}

/** oauth2-proxy with `--set-xauthrequest` or as an upstream proxy. */
export function oauth2Proxy(from: CidrSet): IdentifyMethod {
  return proxyMethod({
    name: 'oauth2Proxy',
    from,
    user: 'x-forwarded-user',
    groups: 'x-forwarded-groups',
    also: [
      'x-forwarded-email',
      'x-forwarded-preferred-username',
      'x-forwarded-access-token',
      'x-auth-request-*',
    ],
  })
}

/** Tailscale Serve. Tagged devices have no user and stay anonymous. */
export function tailscale(from: CidrSet): IdentifyMethod {
  return proxyMethod({
    name: 'tailscale',
    from,
    user: 'tailscale-user-login',
    also: ['tailscale-*'],
  })
}

/**
 * Cloudflare Access. Its header is a signed token, so it is verified, and who sent it does not matter. Other
 * headers of Access stay where that token says the same (`Cf-Access-Authenticated-User-Email`).
 * @param team `https://example.cloudflareaccess.com`
 * @param audience AUD tag of the application
 */
export function cloudflareAccess(
  team: string,
  audience: string,
  environment: PresetEnvironment & Pick<JwtMethodOptions, 'trustedProxies'> = {},
): IdentifyMethod {
  const issuer = team.replace(/\/$/, '')
  const options: JwtMethodOptions = {
    name: 'cloudflareAccess',
    issuer,
    audience,
    keys: remoteKeySet({ url: `${issuer}/cdn-cgi/access/certs`, ...environment }),
    header: 'cf-access-jwt-assertion',
    claims: { id: 'email' },
    ...(environment.clock !== undefined && { clock: environment.clock }),
    ...(environment.trustedProxies !== undefined && { trustedProxies: environment.trustedProxies }),
  }
  return jwtMethod(options)
}
