import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { AdditionalData } from './additional-data.ts'
import { COMMITMENT_BYTES, COMMITMENT_START, type ParsedRecord, TAG_BYTES } from './record-format.ts'
import { cipherMaterial } from './record-keys.ts'

const additionalData = new AdditionalData()
const OPTIONS = { encoding: 'latin1', authTagLength: TAG_BYTES } as const
/** Of the record that is being opened: views of their own would be as much to collect as the cipher. */
const storedCommitment = Buffer.allocUnsafeSlow(COMMITMENT_BYTES)
const storedTag = Buffer.allocUnsafeSlow(TAG_BYTES)

/**
 * Opens a parsed record.
 * @param context `encodeContext` of where the value was found
 * @throws IntegrityError when it was not sealed with this key, in this place, exactly so. The message does
 *   not say which: a stranger who tries contexts learns nothing from it
 */
export function openRecord(record: ParsedRecord, recordKey: Uint8Array, context: Uint8Array): Buffer {
  const plaintext = tryOpenRecord(record, recordKey, context)
  if (plaintext === undefined) throw doesNotOpen()
  return plaintext
}

/** Like `openRecord`, but undefined instead of an error: for choosing among candidate keys. */
export function tryOpenRecord(
  record: ParsedRecord,
  recordKey: Uint8Array,
  context: Uint8Array,
): Buffer | undefined {
  const { key, nonce, commitment } = cipherMaterial(recordKey)
  copy(record.bytes, COMMITMENT_START, storedCommitment)
  if (!timingSafeEqual(commitment, storedCommitment)) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, OPTIONS)
  decipher.setAAD(additionalData.of(record.bytes, context))
  copy(record.bytes, record.bytes.length - TAG_BYTES, storedTag)
  decipher.setAuthTag(storedTag)
  const plaintext = decipher.update(record.ciphertext)
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    return undefined
  }
  return plaintext
}

function copy(from: Uint8Array, start: number, to: Uint8Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[start + i] ?? 0
}

/** The one error of a record that does not open. */
export function doesNotOpen(place = 'vault record'): IntegrityError {
  return new IntegrityError(
    `${place}: the stored value does not open here; it was changed, moved from another row or column, or sealed with ` +
      'other keys. Restore it from a backup and look into how it changed',
  )
}
