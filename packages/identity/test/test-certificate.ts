import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate that signed itself. */
export interface TestCertificate {
  readonly pem: string
  readonly certificate: X509Certificate
  /** As `cnf` of a token names it (RFC 8705 section 3.1). */
  readonly thumbprint: string
  /** As nginx passes it on: `$ssl_client_escaped_cert`. */
  readonly escaped: string
  /** As RFC 9440 passes it on. */
  readonly bytes: string
}

/** @param name the DNS name in it, such as `job.internal` */
export function testCertificate(name: string): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mtls-'))
  const made = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ')
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const named = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...named], { stdio: 'ignore' })
  const pem = readFileSync(cert, 'utf8')
  rmSync(folder, { recursive: true })
  const certificate = new X509Certificate(pem)
  return {
    pem,
    certificate,
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    escaped: encodeURIComponent(pem),
    bytes: `:${certificate.raw.toString('base64')}:`,
  }
}
