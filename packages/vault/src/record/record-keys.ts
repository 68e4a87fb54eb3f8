import { createSecretKey, type KeyObject } from 'node:crypto'
import { HmacKey } from '../primitive/hmac-key.ts'
import { COMMITMENT_BYTES } from './record-format.ts'

const RECORD_KEY_BYTES = 32

/** What one record is sealed with, all from its record key. */
interface CipherMaterial {
  /** AES-256 key. An object, because node takes five times as long over a key given as bytes. */
  readonly key: KeyObject
  /** 96 bits. Derived, hence not stored: the key is used for this one record only. */
  readonly nonce: Buffer
  /** 128 bits that bind the record to this key; AES-GCM alone lets one ciphertext open under two keys. */
  readonly commitment: Buffer
}

const LABEL = Buffer.from('postern vault record 1')
const KEY_END = 32
const COMMITMENT_END = KEY_END + COMMITMENT_BYTES
const NONCE_END = COMMITMENT_END + 12

/** Keyed anew by every call, and wiped before it returns. */
const hmac = new HmacKey('sha512')
const NO_KEY = new Uint8Array(0)

/** HMAC-SHA-512(record key, "postern vault record 1"), cut into key, commitment and nonce. */
export function cipherMaterial(recordKey: Uint8Array): CipherMaterial {
  if (recordKey.length !== RECORD_KEY_BYTES) throw new RangeError('a record key is 32 bytes long')
  hmac.setKey(recordKey)
  const output = hmac.digest(LABEL)
  hmac.setKey(NO_KEY)
  const key = createSecretKey(output.subarray(0, KEY_END))
  output.fill(0, 0, KEY_END)
  return {
    key,
    commitment: output.subarray(KEY_END, COMMITMENT_END),
    nonce: output.subarray(COMMITMENT_END, NONCE_END),
  }
}

/**
 * F(x) of one keyed function: HMAC-SHA-256(key, context || salt). The context is self-delimiting and the salt
 * has a fixed length, so no two inputs collide. A key used here is used for nothing else.
 */
export function recordPrf(key: HmacKey, encodedContext: Uint8Array, salt: Uint8Array): Buffer {
  return key.digest(encodedContext, salt)
}
