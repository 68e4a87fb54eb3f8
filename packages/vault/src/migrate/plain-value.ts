import { IntegrityError } from '@postern/core'
import type { Column } from '../table/table-schema.ts'

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i

/**
 * A value as it stands unencrypted in a text or binary column, as the column's type.
 * @throws IntegrityError naming the column
 */
export function fromPlain(value: unknown, column: Column): unknown {
  if (typeof value !== 'string' || column.type === 'text') {
    // A text column moved to binary storage holds its text as bytes.
    if (value instanceof Uint8Array && column.type !== 'bytes')
      return fromPlain(Buffer.from(value).toString(), column)
    return value
  }
  const converted = convert(value, column)
  if (converted !== undefined) return converted
  throw new IntegrityError(`${column.table}.${column.name}: a stored value is not ${column.type}`)
}

function convert(text: string, column: Column): unknown {
  switch (column.type) {
    case 'number': {
      const number = Number(text)
      // What another number would stand for, or none, must not be written over: "", "0x10", 2^53 + 1.
      const isExact = /^\s*[+-]?\d+\s*$/.test(text) ? Number.isSafeInteger(number) : Number.isFinite(number)
      return DECIMAL.test(text) && isExact ? number : undefined
    }
    case 'bigint':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined
    case 'boolean':
      return /^(?:t|true|1)$/i.test(text) ? true : /^(?:f|false|0)$/i.test(text) ? false : undefined
    case 'date': {
      const date = new Date(text)
      return Number.isNaN(date.getTime()) ? undefined : date
    }
    case 'json':
      try {
        return JSON.parse(text)
      } catch {
        return undefined
      }
    case 'bytes':
      return Buffer.from(text)
    case 'text':
      return text
  }
}

/** The other way: a value as a text or binary column takes it. */
export function toPlain(value: unknown, column: Column): unknown {
  const text =
    value instanceof Uint8Array
      ? value
      : value instanceof Date
        ? value.toISOString()
        : typeof value === 'string'
          ? value
          : typeof value === 'bigint'
            ? `${value}`
            : JSON.stringify(value)
  return column.storage === 'bytes' && typeof text === 'string' ? Buffer.from(text) : text
}
