import type { Exchange } from '@postern/core'
import type { Claims } from './claims.ts'
import { type CertificateSource, clientCertificate } from './client-certificate.ts'
import type { DpopProofs } from './dpop.ts'

/** A token as it was sent, and what its issuer says of it. */
export interface SentToken {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
  readonly claims: Claims
}

/** What tokens that are bound to a key or to a certificate are checked with. */
export interface TokenBinding {
  readonly proofs: DpopProofs
  /**
   * Origins that a proof may be for. Default: what the request names as its host, which whoever sends it
   * chooses.
   */
  readonly origins?: readonly string[] | undefined
  /** Where the certificate is. Default: the connection's own. */
  readonly certificate?: CertificateSource | undefined
}

/**
 * Whether the sender of a token holds what it is bound to (`cnf`): a key (RFC 9449 section 6) or a
 * certificate (RFC 8705 section 3). One that is bound to nothing is held by whoever sends it as a bearer
 * token. A proof counts once: ask once for each request.
 */
export function isHeld(
  exchange: Exchange,
  { scheme, token, claims }: SentToken,
  binding: TokenBinding,
): boolean | Promise<boolean> {
  const cnf = claims['cnf']
  if (cnf === undefined) return scheme === 'bearer'
  if (typeof cnf !== 'object' || cnf === null) return false
  const { jkt, 'x5t#S256': x5t, ...unknown } = cnf as Readonly<Record<string, unknown>>
  // A binding that is not understood cannot be checked, and must not be ignored.
  if (Object.keys(unknown).length > 0 || (jkt === undefined && x5t === undefined)) return false
  if (x5t !== undefined && x5t !== clientCertificate(exchange, binding.certificate)?.thumbprint) return false
  if (jkt === undefined) return scheme === 'bearer'
  return scheme === 'dpop' && isProven(exchange, { token, key: jkt }, binding)
}

function isProven(
  exchange: Exchange,
  { token, key }: { readonly token: string; readonly key: unknown },
  { proofs, origins = [`${exchange.scheme}://${exchange.host}`] }: TokenBinding,
): boolean | Promise<boolean> {
  if (typeof key !== 'string' || exchange.headerCount('dpop') !== 1) return false
  const url = origins.map(origin => `${origin}${exchange.path.raw}`)
  return proofs.holds(exchange.header('dpop') ?? '', { method: exchange.method, url, token, key })
}
