import type { HolderAnswer } from '../../src/holder/holder-answer.ts'
import type { RecordContext } from '../../src/record/record-context.ts'
import type { NamedRecord } from '../../src/split/capability.ts'

/** A place in a table. */
export const context = (row: number | string, table = 'customers', column = 'email'): RecordContext => ({
  tenant: '',
  table,
  column,
  row: [`${row}`],
  version: 0,
})
/** A record to open. */
export const item = (
  row: number,
  table = 'customers',
  column = 'email',
): { readonly context: RecordContext; readonly epoch: number; readonly salt: string } => ({
  context: context(row, table, column),
  epoch: 0,
  salt: Buffer.alloc(16, row).toString('base64url'),
})
/** Rows as a capability names them. */
export const named = (...rows: number[]): readonly NamedRecord[] =>
  rows.map(row => ({ tenant: '', table: 'customers', row: [`${row}`], columns: ['email'] }))
/** The word of a refusal. */
export const refusedAs = (answer: HolderAnswer): string | undefined =>
  'refused' in answer ? answer.refused : undefined
/** The first contribution of an answer. */
export const nonceOf = (answer: HolderAnswer): string => ('nonces' in answer ? (answer.nonces[0] ?? '') : '')
