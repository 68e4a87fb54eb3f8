/** Fields of one query or body that are read at most. */
export const MAX_FIELDS = 1_000

/**
 * The values of a query or form by name, in order: backends differ in which of several they take. At most
 * 1,000 pairs are read.
 */
export function queryValues(query: string): {
  readonly fields: ReadonlyMap<string, readonly [string, ...string[]]>
  readonly complete: boolean
} {
  const fields = new Map<string, [string, ...string[]]>()
  if (query === '') return { fields, complete: true }
  const pairs = query.split('&', MAX_FIELDS + 1)
  for (const pair of pairs.slice(0, MAX_FIELDS)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    const known = fields.get(name)
    if (known === undefined) fields.set(name, [value])
    else known.push(value)
  }
  return { fields, complete: pairs.length <= MAX_FIELDS }
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}
