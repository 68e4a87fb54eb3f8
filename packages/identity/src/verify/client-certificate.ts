import { createHash, X509Certificate } from 'node:crypto'
import type { CidrSet, Exchange } from '@postern/core'

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

export interface CertificateSource {
  /**
   * Header in which a trusted proxy passes the certificate on as PEM, percent-encoded (nginx
   * `$ssl_client_escaped_cert`) or with spaces for line ends. It is read from these proxies only.
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
  const direct = ofSocket(exchange)
  if (direct !== undefined) return described(direct)
  const { header, trustedProxies } = source
  if (header === undefined || trustedProxies === undefined || !trustedProxies.has(exchange.peer))
    return undefined
  if (exchange.headerCount(header) !== 1) return undefined
  const parsed = parsePem(exchange.header(header) ?? '')
  return parsed === undefined ? undefined : described(parsed)
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

function parsePem(text: string): X509Certificate | undefined {
  if (text === '' || text.length > MAX_PEM) return undefined
  try {
    const pem = text.includes('%') ? decodeURIComponent(text) : text
    const body = pem.replace(/-----(?:BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '')
    return new X509Certificate(Buffer.from(body, 'base64'))
  } catch {
    return undefined
  }
}
