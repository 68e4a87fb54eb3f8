import { charsetOf } from '../canonicalise/charset.ts'
import { decodeText } from '../canonicalise/text.ts'
import { fetchedByProlog, findTransform, isReached, TRANSFORM } from '../lex/xml-fetch.ts'
import { prologOf } from '../lex/xml-prolog.ts'

/** Bytes of a document that are read first, then of its prolog while that goes on, and at most. */
const FIRST = 8_192
const GROWTH = 4
export const MOST_OF_DOCUMENT = 131_072
const INCLUDE = /<(?:[^\s<>:/]{1,80}:)?include\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{0,512})/gi
/** What a drawing opens that is neither a picture on the web nor beside it. */
const OPENED =
  /<(?:[^\s<>:/]{1,80}:)?(?:image|use|feimage|script|tref)\s[^<>]{0,1024}?href\s{0,64}=\s{0,64}["']\s{0,64}(?:(?:expect|php|file|msl|ephemeral|text|gopher|jar|netdoc|dict|ldap|tftp|phar):|https?:\/\/169\.254\.|https?:[^"'<>]{0,200}?(?:&quot;|&#34;)\s{0,4}[|`])/i
/** What documents say that are to be read beyond their prolog. */
const SIGNS = ['2001/XInclude', 'XSL/Transform', '<svg', 'chemaLocation', '<?xml-stylesheet'] as const
/** What a document names as its schema: addresses and names in turn. */
const SCHEMAS = /schemalocation\s{0,64}=\s{0,64}(?:"([^"<]{0,4096})"|'([^'<]{0,4096})')/gi
const STYLESHEET = /<\?xml-stylesheet\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
/** An address with a scheme that only attacks use there, of the system, or of a metadata service. */
const OF_ATTACK =
  /(?:^|\s)((?:jar|netdoc|php|expect|gopher|dict|ldaps?|tftp|phar|msl|ephemeral):[^\s]{1,256}|(?:file:\/{0,3})?\/(?:etc|proc|sys|dev|root)\/[^\s]{1,256}|https?:\/\/169\.254\.[^\s]{1,256})/i

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

/** Whether the start of a text is markup, or what has not begun yet. */
export function isDocumentStart(text: string): boolean {
  return DOCUMENT_START.test(text)
}

/** Characters of a value that are read as a document, in one step. */
export const MOST_OF_VALUE = 65_536

/** As much of a value as is read of it as a document. */
export function startOf(text: string): Buffer {
  return Buffer.from(text.slice(0, MOST_OF_VALUE))
}

const DOCUMENT_START = /^[\ufeff\s]*(?:<|$)/

/** Reads the start of a file as a document of XML: its prolog, and what its elements open. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  let size = FIRST
  let text = decodeText(bytes.subarray(0, size), '')
  if (!isDocumentStart(text)) return NOTHING_READ
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
  const elements = elementsIn(bytes)
  if (elements === undefined) return { fetched: undefined, isEndless, work: work + (bytes.length >> 4) }
  return { fetched: fetchedByElements(text, elements), isEndless, work: work + elements.length }
}

/** What is read of a document whose elements may open something; undefined without a sign of that. */
function elementsIn(bytes: Uint8Array): Buffer | undefined {
  const elements = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_OF_DOCUMENT))
  const isWide = charsetOf(elements, '') !== undefined
  return isWide || SIGNS.some(sign => elements.includes(sign, 0, 'latin1')) ? elements : undefined
}

function fetchedByElements(start: string, bytes: Buffer): string | undefined {
  const text = bytes.length <= FIRST ? start : decodeText(bytes, '')
  for (const found of text.includes(SIGNS[0]) ? text.matchAll(INCLUDE) : [])
    if (isReached((found[1] ?? '').toLowerCase())) return `${found[0]}">`
  const lower = text.toLowerCase()
  const transform = findTransform(lower, 'read')
  if (transform !== undefined)
    return `<xsl:stylesheet xmlns:xsl="http://www.w3.org${TRANSFORM}" ${lower.slice(transform.start, transform.end)}`
  return besideIn(text) ?? (text.includes(SIGNS[2]) ? OPENED.exec(text)?.[0] : undefined)
}

/** A schema or a stylesheet that a document names, written so that the rule about elements finds it. */
function besideIn(text: string): string | undefined {
  for (const [sign, named] of [
    [SIGNS[3], SCHEMAS],
    [SIGNS[4], STYLESHEET],
  ] as const)
    for (const found of text.includes(sign) ? text.matchAll(named) : []) {
      const address = OF_ATTACK.exec(found[1] ?? found[2] ?? '')?.[1]
      if (address !== undefined) return `<?xml-stylesheet href="//${address}"`
    }
  return undefined
}
