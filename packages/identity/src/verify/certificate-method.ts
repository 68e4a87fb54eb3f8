import type { Principal } from '@postern/core'
import {
  type CertificateSource,
  type ClientCertificate,
  clientCertificate,
  screenCertificate,
} from './client-certificate.ts'
import { BY_CONNECTION, identifiedBy } from './credential.ts'
import { ABSENT, type IdentifyMethod, known, REFUSED } from './identify-method.ts'

export interface CertificateMethodOptions extends CertificateSource {
  /** Default: `mtls`. */
  readonly name?: string
  /**
   * Whom a verified certificate stands for; undefined refuses it. Default: the first
   * SPIFFE id or DNS name in it, as a service.
   */
  readonly principal?: (certificate: ClientCertificate) => Principal | undefined
}

/** Identifies by client certificates: of this connection, or passed on by a trusted proxy. */
export function certificateMethod(options: CertificateMethodOptions = {}): IdentifyMethod {
  const read = options.principal ?? usual
  const { header } = options
  const credential = { ...BY_CONNECTION, ...(header !== undefined && { headers: [header.toLowerCase()] }) }
  return {
    name: options.name ?? 'mtls',
    screen: exchange => screenCertificate(exchange, options),
    identify: exchange => {
      const certificate = clientCertificate(exchange, options)
      if (certificate === undefined) return ABSENT
      const principal = read(certificate)
      return principal === undefined ? REFUSED : known(identifiedBy(principal, credential))
    },
  }
}

function usual({ names }: ClientCertificate): Principal | undefined {
  const name =
    names.find(one => one.startsWith('URI:spiffe://'))?.slice(4) ??
    names.find(one => one.startsWith('DNS:'))?.slice(4)
  return name === undefined || name.length > 256 ? undefined : { kind: 'service', id: name }
}
