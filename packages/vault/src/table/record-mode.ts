import { IntegrityError } from '@postern/core'
import type { ParsedRecord } from '../record/record-format.ts'
import type { Column } from './table-schema.ts'

/** Whether a record was sealed while its column was in the other of the modes that a server opens. */
export function isOfOtherMode({ mode }: ParsedRecord, column: Column): boolean {
  return mode !== column.mode && mode !== 'held' && column.mode !== 'held'
}

/**
 * Refuses a record of another mode than its column's. While the column is not strict, one that the server can
 * open by its own mode passes: plain values are taken there, too, so whoever has the keys of that mode
 * gains nothing. It lets a column change its mode under a running application.
 * @throws IntegrityError
 */
export function checkMode(record: ParsedRecord, column: Column): void {
  if (record.mode === column.mode) return
  const canMove = isOfOtherMode(record, column)
  if (canMove && column.state !== 'strict') return
  throw new IntegrityError(
    `${column.table}.${column.name}: the stored value was sealed in mode ${record.mode}, and the column is of mode ${column.mode}` +
      (canMove
        ? `; set the column to state "dual", which reads both, and run: postern vault rewrap ${column.table}`
        : ''),
  )
}
