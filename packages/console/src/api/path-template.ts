const VALUES: readonly RegExp[] = [
  /^\d+$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  // Identifiers without a word in them: long, with digits among the letters.
  /^(?=.*\d)(?=.*[a-z])[\w-]{16,}$/i,
  /@/,
]
const MAX_SEGMENTS = 12

/**
 * A path with `{id}`, `{id2}`, ... for segments that look like values: numbers, UUIDs, long identifiers,
 * addresses.
 */
export function pathTemplate(path: string): string {
  let values = 0
  return path
    .split('/')
    .slice(0, MAX_SEGMENTS + 1)
    .map(segment => {
      if (!VALUES.some(pattern => pattern.test(segment))) return segment.slice(0, 80)
      values++
      return values === 1 ? '{id}' : `{id${values}}`
    })
    .join('/')
}
