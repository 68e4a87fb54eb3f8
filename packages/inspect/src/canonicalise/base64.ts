/** Shorter texts say too little to attack with, and chance makes too many of them. */
const SHORTEST = 10
const LONGEST = 4_194_304
const WHOLE = /^[A-Za-z0-9+/_-]+={0,2}$/
const MARKED = /;\s?base64\s?,/i

/**
 * The text behind a base64 or base64url value (RFC 4648, padding optional), or behind the `base64,` of a data URL; undefined when it is no
 * base64 or decodes to something that is no text. An identifier that happens to use the alphabet nearly always decodes to control characters.
 */
export function decodeBase64(text: string): string | undefined {
  // A form turned the alphabet's `+` into a space.
  let coded = text.includes(' ') ? text.replaceAll(' ', '+') : text
  const marked = MARKED.exec(text)
  if (marked !== null) {
    coded = /^[A-Za-z0-9+/_-]{0,4194304}/.exec(text.slice(marked.index + marked[0].length))?.[0] ?? ''
  }
  if (coded.length < SHORTEST || coded.length > LONGEST) return undefined
  if (!looksText(coded.slice(0, 12), true)) return undefined
  if (marked === null && !WHOLE.test(coded)) return undefined
  return looksText(coded, false)
}

function looksText(coded: string, cut: boolean): string | undefined {
  const bytes = Buffer.from(coded, 'base64')
  if (bytes.length < (cut ? 1 : (coded.length * 3) / 4 - 4)) return undefined
  let nulls = 0
  for (const byte of bytes) {
    if (byte === 0 && ++nulls <= 2) continue
    if (byte >= 127 || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)) return undefined
  }
  return bytes.toString('latin1')
}
