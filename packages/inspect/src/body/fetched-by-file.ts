import { fetchedByProlog, findTransform, isReached, TRANSFORM } from '../lex/xml-fetch.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import { charsetOf } from './charset.ts'
import { decodeText } from './text.ts'

/** Bytes of a document that are read first, then of its prolog while that goes on, and at most. */
const FIRST = 8_192
const GROWTH = 8
const MOST = 1_048_576
const INCLUDE = /<(?:[^\s<>:/]{1,80}:)?include\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{0,512})/gi
/** What a drawing opens that is neither a picture on the web nor beside it. */
const OPENED =
  /<(?:[^\s<>:/]{1,80}:)?(?:image|use|feimage|script|tref)\s[^<>]{0,1024}?href\s{0,64}=\s{0,64}["']\s{0,64}(?:(?:expect|php|file|msl|ephemeral|text|gopher|jar|netdoc|dict|ldap|tftp|phar):|https?:\/\/169\.254\.)/i
/** What documents say that are to be read beyond their prolog. */
const SIGNS = ['2001/XInclude', 'XSL/Transform', '<svg'] as const

/**
 * What has a parser of XML fetch something, or grow without end, in the start of a file; undefined where
 * nothing does. Written so that the rules about documents find it.
 */
export function fetchedByDocument(bytes: Uint8Array): string | undefined {
  let size = FIRST
  let text = decodeText(bytes.subarray(0, size), '')
  // Markup, or what has not begun yet.
  if (!/^[\ufeff\s]*(?:<|$)/.test(text)) return undefined
  let prolog = prologOf(text)
  while (!prolog.isComplete && size < bytes.length && size < MOST) {
    size *= GROWTH
    text = decodeText(bytes.subarray(0, size), '')
    prolog = prologOf(text)
  }
  return fetchedByProlog(prolog.text.toLowerCase()) ?? fetchedByElements(text, bytes)
}

function fetchedByElements(start: string, bytes: Uint8Array): string | undefined {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST))
  const isWide = charsetOf(bytes, '') !== undefined
  const signs = isWide ? SIGNS : SIGNS.filter(sign => whole.includes(sign, 0, 'latin1'))
  if (signs.length === 0) return undefined
  const text = bytes.length <= FIRST ? start : decodeText(whole, '')
  for (const found of text.includes(SIGNS[0]) ? text.matchAll(INCLUDE) : [])
    if (isReached((found[1] ?? '').toLowerCase())) return `${found[0]}">`
  const lower = text.toLowerCase()
  const transform = findTransform(lower, 'read')
  if (transform !== undefined)
    return `<xsl:stylesheet xmlns:xsl="http://www.w3.org${TRANSFORM}" ${lower.slice(transform.start, transform.end)}`
  return text.includes(SIGNS[2]) ? OPENED.exec(text)?.[0] : undefined
}
