/**
 * Whether an object anywhere in a JSON text names a field twice. RFC 8259 section 4 leaves open what that
 * means, and parsers disagree on which of the two counts (the last in JavaScript, the first elsewhere), so
 * what is checked here need not be what the backend acts on. The text must be valid JSON.
 * @param spelling whether `id` and `ID` are one name: Go takes them for one, see `foldedName`
 */
export function repeatsName(text: string, spelling: 'exact' | 'any case'): boolean {
  /** For each open object the names that it has, for each open list nothing. */
  const open: (Set<string> | undefined)[] = []
  /** Those of the object whose next text is a name. */
  let names: Set<string> | undefined
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '{':
        names = new Set()
        open.push(names)
        break
      case '[':
        names = undefined
        open.push(names)
        break
      case '}':
      case ']':
        names = undefined
        open.pop()
        break
      case ',':
        names = open.at(-1)
        break
      case '"': {
        const end = endOfString(text, i)
        if (names !== undefined && hasOrAdd(names, nameOf(text, i, end, spelling))) return true
        names = undefined
        i = end - 1
      }
    }
  }
  return false
}

/** Adds a name. @returns whether it was there already */
function hasOrAdd(names: Set<string>, name: string): boolean {
  const { size } = names
  names.add(name)
  return names.size === size
}

function nameOf(text: string, start: number, end: number, spelling: 'exact' | 'any case'): string {
  const raw = text.slice(start + 1, end - 1)
  const name = raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
  return spelling === 'exact' ? name : foldedName(name)
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return text.length
}

/**
 * A name in one case, as parsers compare names that pass over case: Go takes a long s and the sign of Kelvin
 * for the letters `s` and `k` as well, which lower case alone does not.
 */
export function foldedName(name: string): string {
  return name.toUpperCase().toLowerCase()
}
