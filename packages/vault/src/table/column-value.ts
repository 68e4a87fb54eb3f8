import { ConfigError, IntegrityError } from '@postern/core'
import { looksSealed, MAGIC } from '../record/record-format.ts'
import type { Column } from './table-schema.ts'

const TEXT_PREFIX = 'pv1.'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A value as bytes to seal.
 * @throws ConfigError naming the column when it is not of the column's type; never with the value
 */
export function encodeValue(value: unknown, column: Column): Buffer {
  switch (column.type) {
    case 'text':
      if (typeof value === 'string') return Buffer.from(value)
      break
    case 'bytes':
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      break
    case 'number':
      // JSON has no other numbers: they would come back as null.
      if (Number.isFinite(value)) return Buffer.from(JSON.stringify(value))
      break
    case 'bigint':
      if (typeof value === 'bigint') return Buffer.from(`${value}`)
      break
    case 'boolean':
      if (typeof value === 'boolean') return Buffer.from(value ? '1' : '0')
      break
    case 'date':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return Buffer.from(value.toISOString())
      break
    case 'json': {
      const text = JSON.stringify(value) as string | undefined
      if (text !== undefined) return Buffer.from(text)
    }
  }
  throw new ConfigError({
    place: `${column.table}.${column.name}`,
    problem: `the value given is ${value === null ? 'null' : `of type ${typeof value}`}, and the column holds ${column.type}`,
    hint: 'convert the value before it is sealed, or declare another `type`',
  })
}

/** What `encodeValue` was given. @throws IntegrityError naming the column */
export function decodeValue(bytes: Buffer, column: Column): unknown {
  try {
    switch (column.type) {
      case 'bytes':
        return bytes
      case 'text':
        return utf8.decode(bytes)
      case 'number':
      case 'json':
        return JSON.parse(utf8.decode(bytes))
      case 'bigint':
        return BigInt(utf8.decode(bytes))
      case 'boolean':
        return bytes[0] === 0x31
      case 'date':
        return new Date(utf8.decode(bytes))
    }
  } catch {
    throw new IntegrityError(
      `${column.table}.${column.name}: opened, but is not ${column.type}; was its type changed?`,
    )
  }
}

/** A record as it is stored. */
export function storeRecord(record: Buffer, column: Column): Buffer | string {
  return column.storage === 'bytes' ? record : TEXT_PREFIX + record.toString('base64url')
}

/** A stored value: a record to parse, or plain. */
export type Stored = { readonly sealed: Uint8Array } | { readonly plain: unknown }

/**
 * Tells records from plain values. What begins as a record is one, also when it is
 * damaged: it is never taken for plain text.
 * @throws IntegrityError for a plain value in a strict column, or text that begins
 *   like a record but is not a record
 */
export function readStored(value: unknown, column: Column): Stored {
  const place = `${column.table}.${column.name}`
  if (typeof value === 'string' && value.startsWith(TEXT_PREFIX)) {
    const sealed = Buffer.from(value.slice(TEXT_PREFIX.length), 'base64url')
    if (TEXT_PREFIX + sealed.toString('base64url') !== value)
      throw new IntegrityError(`${place}: the stored text begins like a record but is not a record`)
    return { sealed }
  }
  if (value instanceof Uint8Array && beginsAsRecord(value, column)) return { sealed: value }
  if (column.state === 'strict') {
    throw new IntegrityError(
      `${place}: the stored value is not sealed, and the column is strict; someone wrote it past the vault. ` +
        'Look into where it came from; to seal existing data run the migration with the column in state "dual"',
    )
  }
  return { plain: value }
}

/** Whether a plain value would be taken for a record if it were stored as it is. */
export function beginsAsRecord(value: unknown, column: Column): boolean {
  if (typeof value === 'string') return value.startsWith(TEXT_PREFIX)
  return value instanceof Uint8Array && value[0] === MAGIC && (looksSealed(value) || column.type !== 'bytes')
}

/** Whether a value given to be stored is already a record: a row that was read sealed and is written back. */
export function isSealed(value: unknown): boolean {
  return value instanceof Uint8Array
    ? looksSealed(value)
    : typeof value === 'string' && value.startsWith(TEXT_PREFIX)
}
