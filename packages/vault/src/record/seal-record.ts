import { createCipheriv } from 'node:crypto'
import { ConfigError } from '@postern/core'
import { AdditionalData } from './additional-data.ts'
import {
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  MAX_PLAINTEXT,
  type Mode,
  RECORD_OVERHEAD,
  SALT_BYTES,
  suiteOf,
  TAG_BYTES,
} from './record-format.ts'
import { cipherMaterial } from './record-keys.ts'

const additionalData = new AdditionalData()
const OPTIONS = { encoding: 'latin1', authTagLength: TAG_BYTES } as const

/** What sealing one value takes. */
export interface SealInput {
  /** 32 bytes, used for this one record and never again. */
  readonly recordKey: Uint8Array
  /** 16 bytes from which, and the context, the record key was derived. */
  readonly salt: Uint8Array
  readonly mode: Mode
  /** Generation of the keys, 0 to 255. */
  readonly epoch: number
  /** `encodeContext` of where the value lives. */
  readonly context: Uint8Array
  readonly plaintext: Uint8Array
}

/**
 * Seals one value as record format v1: 52 bytes longer than it.
 * @throws ConfigError when the value is larger than 16 MiB
 */
export function sealRecord(input: SealInput): Buffer {
  const { recordKey, salt, mode, epoch, context, plaintext } = input
  if (salt.length !== SALT_BYTES) throw new RangeError('a salt is 16 bytes long')
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 255) throw new RangeError('an epoch is 0 to 255')
  if (plaintext.length > MAX_PLAINTEXT) {
    throw new ConfigError({
      place: 'vault',
      problem: `a value of ${plaintext.length} bytes is larger than one record may be (${MAX_PLAINTEXT})`,
      hint: 'seal it as a file, in chunks',
    })
  }
  const { key, nonce, commitment } = cipherMaterial(recordKey)
  const record = Buffer.allocUnsafeSlow(plaintext.length + RECORD_OVERHEAD)
  record[0] = MAGIC
  record[1] = FORMAT_VERSION
  record[2] = suiteOf(mode)
  record[3] = epoch
  record.set(salt, 4)
  record.set(commitment, 4 + SALT_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, OPTIONS)
  cipher.setAAD(additionalData.of(record, context))
  record.set(cipher.update(plaintext), HEADER_BYTES)
  cipher.final()
  record.set(cipher.getAuthTag(), record.length - TAG_BYTES)
  return record
}
