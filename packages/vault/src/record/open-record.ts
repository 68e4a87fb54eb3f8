import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { type ParsedRecord, TAG_BYTES } from './record-format.ts'
import { cipherMaterial } from './record-keys.ts'
import { additionalData } from './seal-record.ts'

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
  if (!timingSafeEqual(commitment, record.commitment)) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(additionalData(record.header, context))
  decipher.setAuthTag(record.tag)
  const plaintext = decipher.update(record.ciphertext)
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    return undefined
  }
  return plaintext
}

/** The one error of a record that does not open. */
export function doesNotOpen(place = 'vault record'): IntegrityError {
  return new IntegrityError(
    `${place}: the stored value does not open here; it was changed, moved from another row or column, or sealed with ` +
      'other keys. Restore it from a backup and look into how it changed',
  )
}
