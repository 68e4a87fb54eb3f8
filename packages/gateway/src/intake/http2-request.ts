import { type FramingFault, framingFault } from '../message/framing-fault.ts'
import { namesOneHost } from '../message/request-head.ts'

/** An HTTP/2 request in the form of an HTTP/1.1 one. */
export interface Http2Request {
  readonly method: string
  readonly target: string
  /** name, value, ...; `Host` first. */
  readonly headers: readonly string[]
}

/**
 * Rewrites the fields of an HTTP/2 request for an HTTP/1.1 backend (RFC 9113 section 8.3.1). The parser in
 * front already refused malformed names and values, connection-specific fields and pseudo-fields out of
 * place.
 * @param raw name, value, ... as received
 * @param maxBytes largest sum of names and values, with 32 bytes for each field (RFC 9113 section 6.5.2)
 */
export function readHttp2Request(raw: readonly string[], maxBytes: number): Http2Request | FramingFault {
  let method = ''
  let target = ''
  let scheme = ''
  let authority: string | undefined
  let host: string | undefined
  let cookie: string | undefined
  let bytes = 0
  const headers: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    bytes += name.length + value.length + 32
    switch (name) {
      case ':method':
        method = value
        break
      case ':path':
        target = value
        break
      case ':scheme':
        scheme = value
        break
      case ':authority':
        authority = value
        break
      case 'host':
        if (host !== undefined) return framingFault('several-hosts')
        host = value
        break
      case 'cookie':
        // Split for compression; one field again for the backend (RFC 9113 section 8.2.3).
        cookie = cookie === undefined ? value : `${cookie}; ${value}`
        break
      case 'transfer-encoding':
      case 'connection':
        return framingFault('bad-header')
      default:
        if (name.startsWith(':')) return framingFault('bad-header')
        headers.push(name, value)
    }
  }
  if (bytes > maxBytes) return framingFault('headers-too-large')
  const fault = pseudoFault(method, scheme, target)
  if (fault !== undefined) return fault
  if (!namesOneHost(scheme, authority, host)) return framingFault('host-mismatch')
  const named = authority ?? host
  if (cookie !== undefined) headers.push('cookie', cookie)
  if (named !== undefined) headers.unshift('Host', named)
  return { method, target, headers }
}

/** What is wrong with the pseudo-fields: only a path, or the server as a whole, is forwarded. */
function pseudoFault(method: string, scheme: string, target: string): FramingFault | undefined {
  if (method === 'CONNECT') return framingFault('method-not-allowed')
  if (scheme !== 'https') return framingFault('bad-target')
  return target.startsWith('/') || target === '*' ? undefined : framingFault('bad-target')
}
