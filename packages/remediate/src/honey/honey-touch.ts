import { type BodyValue, fieldNames } from '@postern/core'

/** What a request touches: the name of a trap, and where it stands. */
export interface HoneyTouch {
  readonly kind: 'field' | 'record'
  readonly location: string
  readonly span: string
}

export interface HoneyNames {
  readonly fields: ReadonlySet<string>
  readonly records: ReadonlySet<string>
}

/** The first trap in the pairs of a form or a query, under any name that frameworks read as its own. */
export function touchedInPairs(
  pairs: Iterable<readonly [string, string]>,
  names: HoneyNames,
  part: 'query' | 'body',
): HoneyTouch | undefined {
  for (const [name, value] of pairs)
    for (const read of fieldNames(name)) {
      const touch = touchOf(read, value, names, part)
      if (touch !== undefined) return touch
    }
  return undefined
}

/** Whether a value is a trap, or stands at the place of one. */
export function touchOf(
  path: string,
  value: BodyValue,
  names: HoneyNames,
  part: 'query' | 'body',
): HoneyTouch | undefined {
  const location = `${part}.${path.slice(0, 100)}`
  if (names.fields.has(path) && isFilled(value)) return { kind: 'field', location, span: path }
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value)
  return names.records.has(text) ? { kind: 'record', location, span: text } : undefined
}

/** An object is not a field that somebody filled in: its own fields are looked at. */
function isFilled(value: BodyValue): boolean {
  const isObject = typeof value === 'object' && !Array.isArray(value)
  return !isObject && value !== '' && value !== false
}
