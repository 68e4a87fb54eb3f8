// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/** Headers as they arrived: name, value, name, value, ... in order, with the sender's spelling. */
export type RawHeaders = readonly string[]

/**
 * Compares an arrived name with one already in lower case. Names are ASCII (RFC 9110 section 5.1); compared
 * letter by letter, because lower-casing each name allocates a string.
 */
function isNamed(arrived: string, lowerName: string): boolean {
  const { length } = lowerName
  if (arrived.length !== length) return false
  for (let i = 0; i < length; i++) {
    const code = charCodeAt.call(arrived, i)
    const wanted = charCodeAt.call(lowerName, i)
    if (code !== wanted && (code < 65 || code > 90 || code + 32 !== wanted)) return false
  }
  return true
}

/**
 * The value of a header, several joined as RFC 9110 section 5.3 allows (`; ` for cookies), or undefined.
 * @param lowerName in lower case
 */
export function headerValue(headers: RawHeaders, lowerName: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lowerName)) continue
    const next = headers[i + 1] as string
    value = value === undefined ? next : `${value}${lowerName === 'cookie' ? '; ' : ', '}${next}`
  }
  return value
}

/** How often a header was sent. */
export function headerCount(headers: RawHeaders, lowerName: string): number {
  let count = 0
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i] as string, lowerName)) count++
  return count
}
