import { createHash, X509Certificate } from 'node:crypto'
import type { CidrSet, Exchange } from '@postern/core'
import { removeHeaders } from './identify-method.ts'

/**
 * A certificate that the client proved to hold the key of, and that was verified against the
 * authorities of whoever terminated TLS.
 */
export interface ClientCertificate {
  /** RFC 8705 section 3.1: SHA-256 of the DER, base64url. */
  readonly thumbprint: string
  readonly subject: string
  /** Names in the subject alternative name extension: `DNS:a.example`, `URI:spiffe://...`, `email:...`. */
  readonly names: readonly string[]
}

/** As much of a node TLS socket as is read. */
interface TlsSocketLike {
  readonly authorized?: boolean
  getPeerX509Certificate?(): X509Certificate | undefined
}

/** Where the certificate of a client is. */
export interface CertificateSource {
  /**
   * Header in which a trusted proxy passes the certificate on, one, as PEM, percent-encoded (nginx
   * `$ssl_client_escaped_cert`) or with spaces for line ends, or as RFC 9440 writes it. It is read from these
   * proxies only, and from them in place of the certificate of the connection, which is their own.
   */
  readonly header?: string
  readonly trustedProxies?: CidrSet
}

/**
 * The certificate of this connection, or of the client behind a trusted proxy. Undefined when
 * there is none, or it was not verified.
 */
export function clientCertificate(
  exchange: Exchange,
  source: CertificateSource = {},
): ClientCertificate | undefined {
  const { trustedProxies } = source
  const header = source.header?.toLowerCase()
  const found =
    header !== undefined && trustedProxies?.has(exchange.peer) === true
      ? ofHeader(exchange, header)
      : ofSocket(exchange)
  return found === undefined ? undefined : described(found)
}

/** Removes the header of the certificate where it is not a trusted proxy that sends it. */
export function screenCertificate(exchange: Exchange, { header, trustedProxies }: CertificateSource): void {
  if (header !== undefined && trustedProxies?.has(exchange.peer) !== true)
    removeHeaders(exchange, [header.toLowerCase()])
}

function ofHeader(exchange: Exchange, header: string): X509Certificate | undefined {
  return exchange.headerCount(header) === 1 ? parseCertificate(exchange.header(header) ?? '') : undefined
}

function ofSocket(exchange: Exchange): X509Certificate | undefined {
  const native = exchange.source.native as { readonly socket?: TlsSocketLike } | undefined
  const socket = native?.socket
  return socket?.authorized === true ? socket.getPeerX509Certificate?.() : undefined
}

function described(certificate: X509Certificate): ClientCertificate {
  return {
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    subject: certificate.subject ?? '',
    names: subjectNames(certificate.subjectAltName ?? ''),
  }
}

/** A name as node writes it: bare, or as a JSON string where it holds a comma, a quote or the like. */
const NAME = /([^:,"]+):(?:"((?:[^"\\]|\\.)*)"|([^,"]*))(?:, |$)/gy

/**
 * Names of a subject alternative name extension. One that holds `, URI:` is one name: split there, whoever
 * gets a certificate for a name of their choice would have any other beside it.
 * @returns none where the text is not of this form to its end
 */
function subjectNames(text: string): readonly string[] {
  const names: string[] = []
  let end = 0
  for (const [whole, kind = '', quoted, bare = ''] of text.matchAll(NAME)) {
    end += whole.length
    names.push(`${kind}:${quoted === undefined ? bare : (JSON.parse(`"${quoted}"`) as string)}`)
  }
  return end === text.length ? names : []
}

const MAX_PEM = 16_384
const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/
/** RFC 9440 section 2.1: a byte sequence of RFC 8941. Some proxies leave the colons out. */
const BARE = /^(:?)([A-Za-z0-9+/=]+)\1$/

/**
 * Exactly one certificate. Where a proxy adds its header to one that the client sent, or a server joins both
 * (a `Headers` object does), the first of two is the client's choice.
 */
function parseCertificate(text: string): X509Certificate | undefined {
  if (text.length > MAX_PEM) return undefined
  try {
    const plain = text.includes('%') ? decodeURIComponent(text) : text
    const body = PEM.exec(plain)?.[1]?.replace(/\s+/g, '') ?? BARE.exec(plain)?.[2]
    if (body === undefined) return undefined
    const der = Buffer.from(body, 'base64')
    const certificate = new X509Certificate(der)
    // What follows the first certificate would be ignored.
    return certificate.raw.length === der.length ? certificate : undefined
  } catch {
    return undefined
  }
}
