/** What a value counts that says nothing of its size: a page of PostgreSQL. */
const UNKNOWN = 8192

/**
 * About as many bytes as a value was sent in, whatever the application has made of it: its own parsers give
 * `bigint`, maps, and objects that hold themselves.
 */
export function sizeOfValue(value: unknown): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (typeof value !== 'object') return 8
  try {
    return JSON.stringify(value, plain)?.length ?? UNKNOWN
  } catch {
    return UNKNOWN
  }
}

/** What JSON has no words for, by what is in it. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map || value instanceof Set ? [...value] : value
}
