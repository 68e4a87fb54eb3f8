import { type Address, CidrSet, type Exchange, isLoopback, networkOf } from '@postern/core'

/** Headers in which proxies tell who the client is. */
const FORWARDING = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip'] as const

/**
 * What platforms put on every request that they pass on, and the name under which their proxies can be
 * trusted.
 */
const SIGNS: readonly (readonly [header: string, preset: string])[] = [
  ['cf-ray', 'cloudflare'],
  ['x-amzn-trace-id', 'aws-alb'],
  ['fly-request-id', 'fly'],
  ['x-vercel-id', 'vercel'],
  ['rndr-id', 'render'],
  ['x-heroku-queue-depth', 'heroku'],
]

const PRIVATE = CidrSet.parse(['private', 'linklocal', '100.64.0.0/10'])
const CLOUDFLARE = CidrSet.parse(['cloudflare'])

/** What kind of neighbour a peer is; one warning for each is enough. */
export type PeerKind = 'loopback' | 'private' | 'cloudflare' | 'public'

/** @param peer other end of the connection */
export function peerKind(peer: Address): PeerKind {
  if (isLoopback(peer)) return 'loopback'
  if (PRIVATE.has(peer)) return 'private'
  return CLOUDFLARE.has(peer) ? 'cloudflare' : 'public'
}

/** The forwarding header that an exchange carries, if any. */
export function forwardingHeader(exchange: Exchange): string | undefined {
  return FORWARDING.find(name => exchange.header(name) !== undefined)
}

/**
 * The value of `trustProxies` under which the sender of an exchange would be trusted, as it is written in a
 * configuration. For a public peer it is only right when that address is a proxy of one's own: anybody can
 * send these headers.
 */
export function proxySetting(exchange: Exchange): string {
  const { peer } = exchange
  const kind = peerKind(peer)
  const platform = SIGNS.find(([header]) => exchange.header(header) !== undefined)?.[1]
  if (kind === 'cloudflare') return "'cloudflare'"
  if (kind === 'loopback') return platform === 'vercel' ? "'vercel'" : "['loopback']"
  if (kind === 'private' && platform !== undefined)
    // Cloudflare in front of something else on the private network: both have passed the request on.
    return platform === 'cloudflare' ? `['cloudflare', '${networkOf(peer)}']` : `'${platform}'`
  return `['${peer}']`
}
