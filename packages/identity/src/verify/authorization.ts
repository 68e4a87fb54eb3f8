import type { Exchange } from '@postern/core'

/** A credential in the `Authorization` header (RFC 9110 section 11.6.2, RFC 6750, RFC 9449). */
export type Authorization =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly scheme: 'bearer' | 'dpop'; readonly token: string }

const SCHEMES = /^(bearer|dpop)(?: +(.*))?$/i
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * Reads a bearer or DPoP token. Another scheme is absent: it is somebody else's credential. A header sent
 * twice, or one of these schemes without exactly one token, is malformed, and must not be taken for absent.
 */
export function readAuthorization(exchange: Exchange): Authorization {
  const count = exchange.headerCount('authorization')
  if (count === 0) return { kind: 'absent' }
  const match = SCHEMES.exec(exchange.header('authorization')?.trim() ?? '')
  if (match === null) return count > 1 ? { kind: 'malformed' } : { kind: 'absent' }
  const token = match[2]?.trim() ?? ''
  if (count > 1 || !TOKEN.test(token)) return { kind: 'malformed' }
  return { kind: 'token', scheme: match[1]?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token }
}
