import { headerValue, type RawHeaders } from '../header/request-headers.ts'
import { type Address, parseAddress } from './address.ts'
import type { CidrSet } from './cidr.ts'

const MAX_HOPS = 32
const MAX_HEADER = 4_096
/** The longest hop is 41 characters of IPv6, in brackets, with a port. */
const MAX_ADDRESS = 64

/**
 * The address of the client: the peer of the connection, or, when that peer is a trusted proxy, the
 * right-most address of `X-Forwarded-For` that is not a trusted proxy itself. Headers of an untrusted peer
 * are ignored. A malformed hop ends the search at the last address that a trusted proxy reported.
 *
 * `Forwarded` (RFC 7239) is read only where there is no `X-Forwarded-For`: most proxies write the older
 * header and pass the other through as the client sent it, so it must never take precedence. A proxy that
 * writes only `Forwarded` must remove the client's `X-Forwarded-For`.
 */
export function clientAddress(peer: Address, headers: RawHeaders, trustedProxies: CidrSet): Address {
  if (trustedProxies.isEmpty || !trustedProxies.has(peer)) return peer
  const listed = headerValue(headers, 'x-forwarded-for')
  // One hop is what a proxy in front of the application writes.
  if (listed !== undefined && listed.length <= MAX_ADDRESS && !listed.includes(','))
    return parseForwardedHop(listed) ?? peer
  const hops = listed === undefined ? forwardedHops(headerValue(headers, 'forwarded')) : listHops(listed)
  let client = peer
  for (let i = hops.length - 1; i >= Math.max(0, hops.length - MAX_HOPS); i--) {
    const address = parseForwardedHop(hops[i] as string)
    if (address === undefined) return client
    client = address
    if (!trustedProxies.has(address)) return client
  }
  return client
}

/**
 * The elements of a list header. Only the end of a very long header is read: proxies wrote
 * that part, and a client must not be able to hide behind the proxy's own address by
 * sending a header that is too long to read.
 */
function listHops(header: string): readonly string[] {
  if (header.length <= MAX_HEADER) return header.split(',')
  return header.slice(-MAX_HEADER).split(',').slice(1)
}

/** The `for` parameter of each element, in order; an element without one is an opaque hop. */
function forwardedHops(header: string | undefined): readonly string[] {
  if (header === undefined) return []
  return listHops(header).map(element => forwardedParameter(element, 'for') ?? '')
}

/** A parameter of one element of `Forwarded`, without its quotes. */
function forwardedParameter(element: string, name: string): string | undefined {
  for (const pair of element.split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim().toLowerCase() === name)
      return pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
  }
  return undefined
}

/**
 * What the nearest proxy says in `Forwarded` (RFC 7239), where the peer is trusted and writes no
 * `X-Forwarded-For`: a proxy that writes the older headers passes this one through as the client sent it.
 * @param name `proto` or `host`
 */
export function forwardedBy(
  peer: Address | undefined,
  headers: RawHeaders,
  trustedProxies: CidrSet,
  name: 'proto' | 'host',
): string | undefined {
  if (peer === undefined || trustedProxies.isEmpty || !trustedProxies.has(peer)) return undefined
  if (headerValue(headers, 'x-forwarded-for') !== undefined) return undefined
  const header = headerValue(headers, 'forwarded')
  return header === undefined ? undefined : forwardedParameter(listHops(header).at(-1) ?? '', name)
}

/**
 * The address of one hop: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
 * `[2001:db8::1]`, `[2001:db8::1]:4711`.
 */
export function parseForwardedHop(hop: string): Address | undefined {
  const plain = parseAddress(hop)
  if (plain !== undefined) return plain
  const text = hop.trim()
  if (text.startsWith('[')) {
    const close = text.indexOf(']')
    const port = text.slice(close + 1)
    return close > 0 && (port === '' || /^:\d{1,5}$/.test(port))
      ? parseAddress(text.slice(1, close))
      : undefined
  }
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(text)
  return parseAddress(withPort?.[1] ?? text)
}

/**
 * Whether the request reached the first trusted proxy over TLS; without a trusted
 * proxy, whether this connection uses TLS.
 */
export function clientScheme(
  secure: boolean,
  peer: Address | undefined,
  headers: RawHeaders,
  trustedProxies: CidrSet,
): 'http' | 'https' {
  if (peer !== undefined && trustedProxies.has(peer)) {
    const listed =
      headerValue(headers, 'x-forwarded-proto') ?? forwardedBy(peer, headers, trustedProxies, 'proto')
    const claimed = schemeOf(listed?.split(',').at(-1))
    if (claimed !== undefined) return claimed
  }
  return secure ? 'https' : 'http'
}

/** What a proxy says of the scheme; some (Traefik) call that of a WebSocket `wss` or `ws`. */
export function schemeOf(claim: string | undefined): 'http' | 'https' | undefined {
  switch (claim?.trim().toLowerCase()) {
    case 'https':
    case 'wss':
      return 'https'
    case 'http':
    case 'ws':
      return 'http'
    default:
      return undefined
  }
}
