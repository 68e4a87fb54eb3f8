import { createHash } from 'node:crypto'

/** UTF-16 units; at most three bytes each, well below what an index row of PostgreSQL may have. */
const MAX_COLUMN = 600

/**
 * A text as it is stored in a searched column: unchanged, unless PostgreSQL would reject it (a NUL, or
 * more than an index row may hold). Then its beginning and its SHA-256, so that different texts stay
 * different. One event must never stop the log.
 */
export function columnText(text: string): string {
  if (text.length <= MAX_COLUMN && !text.includes('\0')) return text
  const digest = createHash('sha256').update(text).digest('hex')
  return `${text.slice(0, 100).replaceAll('\0', '\ufffd')}... sha256 ${digest}`
}
