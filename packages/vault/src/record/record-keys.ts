import { HmacKey } from '../primitive/hmac-key.ts'
import { COMMITMENT_BYTES } from './record-format.ts'

const RECORD_KEY_BYTES = 32

/** What one record is sealed with, all from its record key. Valid until the next record is asked for. */
interface CipherMaterial {
  /**
   * AES-256 key, one character a byte (latin1). Node 24 takes 14 us to make a cipher from a key given as
   * bytes, 2.7 from a key object made for it, which is one more thing to collect, and 1.4 from text.
   */
  readonly key: string
  /** 96 bits. Derived, hence not stored: the key is used for this one record only. */
  readonly nonce: Buffer
  /** 128 bits that bind the record to this key; AES-GCM alone lets one ciphertext open under two keys. */
  readonly commitment: Buffer
}

const LABEL = Buffer.from('postern vault record 1')
const KEY_END = 32
const NONCE_BYTES = 12
const COMMITMENT_END = KEY_END + COMMITMENT_BYTES
const NONCE_END = COMMITMENT_END + NONCE_BYTES

/** Keyed by every call, and wiped before it returns. */
const hmac = new HmacKey('sha512')
const NO_KEY = new Uint8Array(0)
/** Overwritten by every call: a record is sealed or opened without waiting, and nothing of it is kept. */
const nonce = Buffer.allocUnsafeSlow(NONCE_BYTES)
const commitment = Buffer.allocUnsafeSlow(COMMITMENT_BYTES)

/**
 * HMAC-SHA-512(record key, "postern vault record 1"), cut into key, commitment and nonce. Commitment and
 * nonce are overwritten by the next call.
 */
export function cipherMaterial(recordKey: Uint8Array): CipherMaterial {
  if (recordKey.length !== RECORD_KEY_BYTES) throw new RangeError('a record key is 32 bytes long')
  hmac.setKey(recordKey)
  const output = hmac.latin1(LABEL)
  hmac.setKey(NO_KEY)
  commitment.write(output.slice(KEY_END, COMMITMENT_END), 'latin1')
  nonce.write(output.slice(COMMITMENT_END, NONCE_END), 'latin1')
  return { key: output.slice(0, KEY_END), commitment, nonce }
}

/**
 * F(x) of one keyed function: HMAC-SHA-256(key, context || salt). The context is self-delimiting and the salt
 * has a fixed length, so no two inputs collide. A key used here is used for nothing else.
 */
export function recordPrf(key: HmacKey, encodedContext: Uint8Array, salt: Uint8Array): Buffer {
  return key.digest(encodedContext, salt)
}
