import { createHash } from 'node:crypto'

/** UTF-16 units; at most three bytes each, well below what an index row of PostgreSQL may have. */
const MAX_COLUMN = 600

/** The form of a text that could not be stored as it is. A text that looks like it is not taken for it. */
const DIGESTED = /\.\.\. sha256 [0-9a-f]{64}$/

/**
 * A text as it is stored in a searched column: unchanged, unless PostgreSQL would reject it (a NUL, or
 * more than an index row may hold) or change it (half a surrogate pair). Then its beginning and its SHA-256:
 * different texts stay different, or two tenants of one batch would be one row, and stop the log.
 */
export function columnText(text: string): string {
  const isKept = text.length <= MAX_COLUMN && !text.includes('\0') && text.isWellFormed()
  if (isKept && !DIGESTED.test(text)) return text
  const hash = createHash('sha256')
  // In UTF-8 every half of a pair would be the same three bytes.
  const digest = (text.isWellFormed() ? hash.update(text) : hash.update(text, 'utf16le')).digest('hex')
  return `${text.slice(0, 100).toWellFormed().replaceAll('\0', '\ufffd')}... sha256 ${digest}`
}
