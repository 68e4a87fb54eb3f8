import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { ConfigError } from '@postern/core'

/** DER up to the 32 bytes of a public key (RFC 8410 section 4) and of a private one (section 7). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** An Ed25519 key that signs (RFC 8032). */
export interface SigningKey {
  readonly privateKey: KeyObject
  /** 32 bytes. */
  readonly publicKey: Buffer
}

/** A fresh signing key. */
export function generateSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKey: rawPublicKey(publicKey) }
}

/** A signing key from its 32 byte seed. */
export function signingKeyOf(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new ConfigError({ place: 'signing key', problem: 'must be 32 bytes' })
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) }
}

/** The 32 byte seed of a signing key. Secret. */
export function seedOf({ privateKey }: SigningKey): Buffer {
  return privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_PREFIX.length)
}

/** A public key from its 32 bytes. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  if (bytes.length !== 32) throw new ConfigError({ place: 'public key', problem: 'must be 32 bytes' })
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
}

export function signBytes(key: SigningKey, message: Uint8Array): Buffer {
  return sign(null, message, key.privateKey)
}

/** Whether a signature of 64 bytes is by this key over these bytes. Never throws on a bad signature. */
export function verifyBytes(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, key, signature)
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length)
}
