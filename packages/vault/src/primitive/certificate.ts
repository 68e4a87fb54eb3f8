import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import type { RandomSource } from '@postern/core'
import { type SigningKey, signBytes, signingKeyOf } from './ed25519.ts'

/** A TLS identity: a self-signed certificate, and its key. Others know it by its fingerprint. */
export interface TlsIdentity {
  /** PEM. */
  readonly certificate: string
  /** PEM. Secret. */
  readonly privateKey: string
  /** SHA-256 of the certificate's public key (SubjectPublicKeyInfo), base64url. */
  readonly fingerprint: string
}

/** Seeds that are tried for one whose fingerprint a command line takes; one in 64 is not. */
const MOST_SEEDS = 100

const ED25519_OID = der(0x30, Buffer.from('06032b6570', 'hex'))
const FOREVER = '99991231235959Z'

/**
 * A self-signed X.509 certificate over an Ed25519 key (RFC 5280, RFC 8410). It carries a name for people and
 * nothing to trust: both ends pin the fingerprint of the other. It has no expiry that matters (RFC 5280
 * section 4.1.2.5), because what ends it is taking its fingerprint out of the configuration.
 */
export function selfSignedIdentity(
  name: string,
  key: SigningKey,
  random: RandomSource,
  now: number,
): TlsIdentity {
  const spki = der(
    0x30,
    Buffer.concat([ED25519_OID, der(0x03, Buffer.concat([Buffer.from([0]), key.publicKey]))]),
  )
  const commonName = der(
    0x30,
    Buffer.concat([Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name))]),
  )
  const distinguishedName = der(0x30, der(0x31, commonName))
  const serial = Buffer.from(random.bytes(16))
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const validity = der(
    0x30,
    Buffer.concat([
      der(0x18, Buffer.from(generalizedTime(now - 86_400_000))),
      der(0x18, Buffer.from(FOREVER)),
    ]),
  )
  const body = der(
    0x30,
    Buffer.concat([
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, serial),
      ED25519_OID,
      distinguishedName,
      validity,
      distinguishedName,
      spki,
    ]),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), signBytes(key, body)]))
  const certificate = pem('CERTIFICATE', der(0x30, Buffer.concat([body, ED25519_OID, signature])))
  return {
    certificate,
    privateKey: key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    fingerprint: fingerprintOf(new X509Certificate(certificate)),
  }
}

/**
 * A seed for the key of an identity, 32 bytes. Its fingerprint does not begin with a hyphen: people pass
 * fingerprints to commands, which take such a one for an option.
 */
export function identitySeed(random: RandomSource): Uint8Array {
  let seed = random.bytes(32)
  for (let tried = 1; tried < MOST_SEEDS && isOption(seed); tried++) seed = random.bytes(32)
  return seed
}

function isOption(seed: Uint8Array): boolean {
  const { privateKey } = signingKeyOf(seed)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(spki).digest('base64url').startsWith('-')
}

/** SHA-256 of a certificate's public key, base64url. */
export function fingerprintOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(spki).digest('base64url')
}

function generalizedTime(time: number): string {
  return `${new Date(time).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
}

/** One DER element (X.690 section 8.1). */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
