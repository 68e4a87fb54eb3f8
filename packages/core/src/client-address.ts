import { type Address, parseAddress } from './address.ts'
import type { CidrSet } from './cidr.ts'
import { headerValue, type RawHeaders } from './request-headers.ts'

const MAX_HOPS = 32

/**
 * The address of the client: the peer of the connection, or, when that peer is a trusted proxy, the right-most
 * address of `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not a trusted proxy itself. What an untrusted peer
 * claims is never read. A malformed hop ends the walk at the last address that was vouched for.
 */
export function clientAddress(peer: Address, headers: RawHeaders, trustedProxies: CidrSet): Address {
  if (trustedProxies.isEmpty || !trustedProxies.has(peer)) return peer
  const forwarded = headerValue(headers, 'forwarded')
  const hops =
    forwarded === undefined ? listHops(headerValue(headers, 'x-forwarded-for')) : forwardedHops(forwarded)
  let client = peer
  for (let i = hops.length - 1; i >= Math.max(0, hops.length - MAX_HOPS); i--) {
    const address = hopAddress(hops[i] as string)
    if (address === undefined) return client
    client = address
    if (!trustedProxies.has(address)) return client
  }
  return client
}

function listHops(header: string | undefined): readonly string[] {
  return header === undefined || header.length > 4_096 ? [] : header.split(',')
}

/** The `for` parameter of each element, in order; an element without one is an opaque hop. */
function forwardedHops(header: string): readonly string[] {
  if (header.length > 4_096) return []
  return header.split(',').map(element => {
    for (const pair of element.split(';')) {
      const equals = pair.indexOf('=')
      if (pair.slice(0, equals).trim().toLowerCase() === 'for')
        return pair
          .slice(equals + 1)
          .trim()
          .replace(/^"(.*)"$/, '$1')
    }
    return ''
  })
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
function hopAddress(hop: string): Address | undefined {
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

/** Whether the request reached the first trusted proxy over TLS; the connection's own word otherwise. */
export function clientScheme(
  secure: boolean,
  peer: Address | undefined,
  headers: RawHeaders,
  trustedProxies: CidrSet,
): 'http' | 'https' {
  if (peer !== undefined && trustedProxies.has(peer)) {
    const claimed = headerValue(headers, 'x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase()
    if (claimed === 'https' || claimed === 'http') return claimed
  }
  return secure ? 'https' : 'http'
}
