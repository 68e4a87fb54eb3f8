import { ConfigError } from '@postern/core'

/**
 * Where a value lives. Every field is authenticated with the value: pasted anywhere else, it does not open.
 */
export interface RecordContext {
  /** Tenant the row belongs to; the empty string in applications without tenants. */
  readonly tenant: string
  readonly table: string
  readonly column: string
  /** Values of the primary key, in the order of the key; more than one for compound keys. */
  readonly row: readonly string[]
  /** Version of the row, 0 where the table keeps none. */
  readonly version: number
}

/** Longest name or key value, in bytes of UTF-8. */
const MAX_FIELD = 1_024
/** Most columns of a compound key. */
const MAX_KEY_COLUMNS = 16

/**
 * The one encoding of a context: each field length-prefixed, so that no two contexts share it
 * (`u16 length, bytes` for tenant, table, column; `u8 count` and as many for the
 * row; `u64` version; big-endian).
 * @throws ConfigError naming the field when one is too long or missing; never with its value
 */
export function encodeContext(context: RecordContext): Buffer {
  const bytes = Buffer.allocUnsafe(encodedSize(context))
  writeContext(bytes, 0, context)
  return bytes
}

/** Bytes that a context takes encoded. */
export function encodedSize({ tenant, table, column, row }: RecordContext): number {
  let size = 6 + Buffer.byteLength(tenant) + Buffer.byteLength(table) + Buffer.byteLength(column) + 1 + 8
  for (const part of row) size += 2 + Buffer.byteLength(part)
  return size
}

/**
 * Writes the encoding of a context to a place in a buffer that has room for it.
 * @returns the offset after it
 * @throws as `encodeContext`
 */
export function writeContext(bytes: Buffer, start: number, context: RecordContext): number {
  const { tenant, table, column, row, version } = context
  if (table === '' || column === '') throw fault('table and column', 'must not be empty')
  if (row.length === 0 || row.length > MAX_KEY_COLUMNS)
    throw fault('row', `needs 1 to ${MAX_KEY_COLUMNS} key values, got ${row.length}`)
  if (!Number.isSafeInteger(version) || version < 0)
    throw fault('version', 'must be a non-negative safe integer')
  let at = writeField(bytes, start, tenant, 'tenant')
  at = writeField(bytes, at, table, 'table')
  at = writeField(bytes, at, column, 'column')
  bytes[at++] = row.length
  for (const part of row) {
    if (part === '')
      throw fault('row', 'has an empty key value; save the row first, or choose its id before sealing')
    at = writeField(bytes, at, part, 'row')
  }
  at = bytes.writeUInt32BE(Math.floor(version / 2 ** 32), at)
  return bytes.writeUInt32BE(version >>> 0, at)
}

function writeField(bytes: Buffer, at: number, text: string, name: string): number {
  const length = bytes.write(text, at + 2, 'utf8')
  if (length > MAX_FIELD) throw fault(name, `is longer than ${MAX_FIELD} bytes`)
  // UTF-8 turns every lone surrogate into the same three bytes: two different keys would share one context.
  if (!text.isWellFormed()) throw fault(name, 'is not well-formed Unicode')
  bytes.writeUInt16BE(length, at)
  return at + 2 + length
}

function fault(field: string, problem: string): ConfigError {
  return new ConfigError({ place: `vault record context: ${field}`, problem })
}
