/** Headers as they arrived: name, value, name, value, ... in order, with the sender's spelling. */
export type RawHeaders = readonly string[]

/** Compares an arrived name with one already in lower case, without allocating unless lengths agree. */
function isNamed(arrived: string, lowerName: string): boolean {
  return arrived.length === lowerName.length && (arrived === lowerName || arrived.toLowerCase() === lowerName)
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
