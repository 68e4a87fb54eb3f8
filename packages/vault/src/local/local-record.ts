import { IntegrityError } from '@postern/core'
import { ContextEncoder } from '../record/context-encoder.ts'
import { openRecord } from '../record/open-record.ts'
import type { RecordContext } from '../record/record-context.ts'
import { parseRecord } from '../record/record-format.ts'
import { recordPrf } from '../record/record-keys.ts'
import { SaltSource } from '../record/salt-source.ts'
import { sealRecord } from '../record/seal-record.ts'
import type { LocalKeys } from './local-keys.ts'

const salts = new SaltSource()
const contexts = new ContextEncoder()

/**
 * Seals one value with the keys of this machine. Whoever has the key file and the database reads everything:
 * for a column worth stealing use mode `split` or `held`.
 * @example
 * const sealed = seal(keys, { tenant: '', table: 'note', column: 'body', row: ['7'],
 * version: 0 }, Buffer.from('hi'))
 */
export function seal(keys: LocalKeys, context: RecordContext, plaintext: Uint8Array): Buffer {
  const encoded = contexts.encode(context)
  const salt = salts.next()
  const epoch = keys.current
  const recordKey = recordPrf(keys.prf(epoch), encoded, salt)
  return sealRecord({ recordKey, salt, mode: 'local', epoch, context: encoded, plaintext })
}

/**
 * Opens a value sealed by `seal` in the same place.
 * @throws IntegrityError when it was changed, moved, sealed with other keys, or is not a record at all
 */
export function open(keys: LocalKeys, context: RecordContext, sealed: Uint8Array): Buffer {
  const record = parseRecord(sealed)
  if (record.mode !== 'local')
    throw new IntegrityError(
      `vault record: it was sealed in mode ${record.mode}, and is opened in mode local`,
    )
  const encoded = contexts.encode(context)
  return openRecord(record, recordPrf(keys.prf(record.epoch), encoded, record.salt), encoded)
}
