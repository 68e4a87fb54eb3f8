import { fetchedByProlog, findTransform, isReached, TRANSFORM } from '../lex/xml-fetch.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import { charsetOf } from './charset.ts'
import { decodeText } from './text.ts'

/** Bytes of a document that are read first, then of its prolog while that goes on, and at most. */
const FIRST = 8_192
const GROWTH = 4
export const MOST_OF_DOCUMENT = 131_072
const INCLUDE = /<(?:[^\s<>:/]{1,80}:)?include\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{0,512})/gi
/** What a drawing opens that is neither a picture on the web nor beside it. */
const OPENED =
  /<(?:[^\s<>:/]{1,80}:)?(?:image|use|feimage|script|tref)\s[^<>]{0,1024}?href\s{0,64}=\s{0,64}["']\s{0,64}(?:(?:expect|php|file|msl|ephemeral|text|gopher|jar|netdoc|dict|ldap|tftp|phar):|https?:\/\/169\.254\.)/i
/** What documents say that are to be read beyond their prolog. */
const SIGNS = ['2001/XInclude', 'XSL/Transform', '<svg'] as const

/** What was read of a document. */
export interface ReadDocument {
  /**
   * What has a parser of XML fetch something, or grow without end; undefined where nothing does. Written so
   * that the rules about documents find it.
   */
  readonly fetched: string | undefined
  /** Whether its prolog goes on where reading ends. */
  readonly isEndless: boolean
  /** Characters that were looked at. */
  readonly work: number
}

const NOTHING_READ: ReadDocument = { fetched: undefined, isEndless: false, work: 0 }

/** Reads the start of a file as a document of XML: its prolog, and what its elements open. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  let size = FIRST
  let text = decodeText(bytes.subarray(0, size), '')
  // Markup, or what has not begun yet.
  if (!/^[\ufeff\s]*(?:<|$)/.test(text)) return NOTHING_READ
  let prolog = prologOf(text)
  let work = text.length
  while (!prolog.isComplete && size < bytes.length && size < MOST_OF_DOCUMENT) {
    size *= GROWTH
    text = decodeText(bytes.subarray(0, size), '')
    prolog = prologOf(text)
    work += text.length
  }
  const isEndless = !prolog.isComplete && bytes.length > MOST_OF_DOCUMENT
  const fetched = fetchedByProlog(prolog.text.toLowerCase())
  if (fetched !== undefined) return { fetched, isEndless, work }
  const elements = bytes.subarray(0, MOST_OF_DOCUMENT)
  return { fetched: fetchedByElements(text, elements), isEndless, work: work + elements.length }
}

function fetchedByElements(start: string, bytes: Uint8Array): string | undefined {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
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
