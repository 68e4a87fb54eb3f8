import { charsetOf, decodeCharset } from '../canonicalise/charset.ts'
import { inflateRawShort } from '../canonicalise/gunzip-short.ts'
import type { Pausing } from '../canonicalise/in-parts.ts'
import { decodeText } from '../canonicalise/text.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import { fetchedByProlog, isReached, readTransform, TRANSFORM } from '../lex/xml-fetch.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import type { Steps } from '../value/steps.ts'
import { withReferences } from './xml-references.ts'

/** What documents say that are to be read beyond their prolog: one search for all of it. */
const SIGNS =
  /nclude|XSL\/|svg|ocation|-source|<\?xml-stylesheet|<\?oasis-xml-catalog|relaxng\.org|xmldsig|<diagram|&#/

const INCLUDE = /<(?:[^\s<>:/]{1,80}:)?include\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{0,512})/gi
/** The same of a part of a message, which only its own other parts may be. */
const IN_MESSAGE = /^\s{0,64}(?:cid:|$)/i
/** Addresses with schemes that no picture beside a drawing, and none on the web, has ... */
const OPENED_SCHEME = '(?:expect|php|file|msl|ephemeral|text|gopher|jar|netdoc|dict|ldap|tftp|phar):'
/** ... of hosts that are only reached from where the drawing is drawn ... */
const INNER_HOST =
  '(?:https?:)?\\/\\/(?:[^"\'<>\\/@]{0,64}@)?(?:localhost(?![\\w.-])|(?:127|10|192\\.168|169\\.254|172\\.(?:1[6-9]|2\\d|3[01])|0\\.0)\\.\\d{1,3}[.:/"\']|0x[\\da-f]{1,8}(?:\\.0x|[:/"\'])|\\d{8,10}[:/"\']|\\[|metadata(?:\\.google\\.internal)?[:/])'
/** ... and behind which a program is run. */
const PIPED = 'https?:[^"\'<>]{0,200}?(?:&quot;|&#34;)\\s{0,4}[|`]'
/** What a drawing opens that is neither a picture on the web nor beside it. */
const OPENED = new RegExp(
  `<(?:[^\\s<>:/]{1,80}:)?(?:image|use|feimage|script|tref)\\s[^<>]{0,1024}?href\\s{0,64}=\\s{0,64}["']\\s{0,64}(${OPENED_SCHEME}|${INNER_HOST}|${PIPED})`,
  'i',
)
/** The same in a style sheet of a drawing. */
const STYLED = new RegExp(
  `(?:@import\\s{0,64}|\\burl\\s{0,8}\\(\\s{0,64})["']?\\s{0,64}(${OPENED_SCHEME}|${INNER_HOST})`,
  'i',
)
/** What a document names as its schema: addresses and names in turn; and where others import one from. */
const SCHEMAS = /location\s{0,64}=\s{0,64}(?:"([^"<]{0,4096})"|'([^'<]{0,4096})')/gi
const STYLESHEET = /<\?xml-stylesheet\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
const CATALOG = /<\?oasis-xml-catalog\s[^<>]{0,1024}?\bcatalog\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
/** What a document of an office program takes a section, a table or a value from. */
const SOURCE =
  /<(?:[^\s<>:/]{1,80}:)?(?:section|cell-range|table)-source\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
/** What else a schema is made of. */
const REFERRED =
  /<(?:[^\s<>:/]{1,80}:)?(?:include|externalref)\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
/** What a signature signs, or is checked with. */
const SIGNED =
  /<(?:[^\s<>:/]{1,80}:)?(?:reference|retrievalmethod)\s[^<>]{0,1024}?\buri\s{0,64}=\s{0,64}["']([^"'<>]{1,512})/gi
/** An address with a scheme that only attacks use there, of the system, or of a metadata service. */
const OF_ATTACK =
  /(?:^|\s)((?:jar|netdoc|php|expect|gopher|dict|ldaps?|tftp|phar|msl|ephemeral):[^\s]{1,256}|(?:file:\/{0,3})?\/(?:etc|proc|sys|dev|root)\/[^\s]{1,256}|https?:\/\/169\.254\.[^\s]{1,256})/i
/** Where such addresses stand, by the sign that says so. */
const NAMED: readonly (readonly [sign: string, named: RegExp])[] = [
  ['ocation', SCHEMAS],
  ['-source', SOURCE],
  ['<?xml-stylesheet', STYLESHEET],
  ['<?oasis-xml-catalog', CATALOG],
]
/** The same where a document has named its kind, maybe far before. */
const KINDS = {
  inclusion: /XInclude/,
  message: /\/xop\/include/,
  transform: /XSL\/Transform/i,
  drawing: /[<:]svg\b/,
  signature: /xmldsig/,
  schema: /relaxng\.org/,
} as const
type Kind = keyof typeof KINDS

/** Bytes of elements that are read at a time, and of the last ones with the next. */
const PART = 131_072
const OVERLAP = 4_096

/**
 * What the elements of a document have a parser, or what transforms or draws it, fetch: written so that the
 * rules about documents find it; undefined where nothing does.
 * @param prolog of the document, without comments and runs of spaces
 */
export function* fetchedByElements(
  bytes: Buffer,
  prolog: string,
  driver: Pausing,
): Steps<string | undefined> {
  const charset = charsetOf(bytes, '')
  const kinds = new Set<Kind>()
  for (let start = charset?.from ?? 0; start < bytes.length; start += PART - OVERLAP) {
    const part = bytes.subarray(start, start + PART)
    driver.work(part.length >> 4)
    const isRead = charset !== undefined || kinds.size > 0 || (start === 0 && prolog.includes('<!ENTITY'))
    if (!isRead && !SIGNS.test(part.toString('latin1'))) continue
    driver.work(part.length >> 3)
    if (driver.isPaused) yield
    const text = charset === undefined ? part.toString() : decodeCharset(part, { ...charset, from: 0 })
    const fetched = yield* fetchedByPart(withReferences(text, prolog), kinds, driver)
    if (fetched !== undefined || part.length < PART) return fetched
  }
  return undefined
}

function* fetchedByPart(text: string, kinds: Set<Kind>, driver: Pausing): Steps<string | undefined> {
  for (const kind of Object.keys(KINDS) as Kind[]) if (KINDS[kind].test(text)) kinds.add(kind)
  for (const reading of [includedBy, transformedBy, namedBy, drawnBy]) {
    driver.work(text.length >> 4)
    if (driver.isPaused) yield
    const fetched = reading(text, kinds)
    if (fetched !== undefined) return fetched
  }
  const inner = yield* diagramsIn(text, driver)
  return inner ?? (text.includes('data:') ? yield* pictureIn(text, driver) : undefined)
}

function opening(address: string): string {
  return `<?xml-stylesheet href="//${address.trim()}"`
}

function includedBy(text: string, kinds: ReadonlySet<Kind>): string | undefined {
  const isMessage = kinds.has('message')
  if (!isMessage && !kinds.has('inclusion')) return undefined
  for (const found of text.matchAll(INCLUDE)) {
    const address = (found[1] ?? '').toLowerCase()
    if (isReached(address) && !(isMessage && IN_MESSAGE.test(address))) return `${found[0]}">`
  }
  return undefined
}

function transformedBy(text: string, kinds: ReadonlySet<Kind>): string | undefined {
  const lower = kinds.has('transform') ? text.toLowerCase() : ''
  const transform = lower === '' ? undefined : readTransform(lower, 'read')
  if (transform === undefined) return undefined
  return `<xsl:stylesheet xmlns:xsl="http://www.w3.org${TRANSFORM}" ${lower.slice(transform.start, transform.end)}`
}

function namedBy(text: string, kinds: ReadonlySet<Kind>): string | undefined {
  const named = NAMED.filter(([sign]) => text.includes(sign)).map(([, place]) => place)
  if (kinds.has('signature')) named.push(SIGNED)
  if (kinds.has('schema')) named.push(REFERRED)
  for (const place of named)
    for (const found of text.matchAll(place)) {
      const address = OF_ATTACK.exec(found[1] ?? found[2] ?? '')?.[1]
      if (address !== undefined) return opening(address)
    }
  return undefined
}

function drawnBy(text: string, kinds: ReadonlySet<Kind>): string | undefined {
  if (!kinds.has('drawing')) return undefined
  const address = (OPENED.exec(text) ?? STYLED.exec(text))?.[1]
  return address === undefined ? undefined : opening(address)
}

/** A page of draw.io: encoded for a URL, in raw DEFLATE, in base64. */
const DIAGRAM = /<diagram\b[^<>]{0,512}>\s{0,64}([A-Za-z0-9+/]{16,87380})/g
/** Bytes that a page, and all pages, may come to. */
const LONGEST_DIAGRAM = 262_144
const ALL_DIAGRAMS = 786_432

function* diagramsIn(text: string, driver: Pausing): Steps<string | undefined> {
  if (!text.includes('<diagram')) return undefined
  let left = ALL_DIAGRAMS
  for (const [, coded = ''] of text.matchAll(DIAGRAM)) {
    const bytes = inflateRawShort(Buffer.from(coded, 'base64'), Math.min(left, LONGEST_DIAGRAM))
    left -= Math.max(bytes?.length ?? 0, coded.length)
    driver.work(bytes?.length ?? 0)
    if (driver.isPaused) yield
    const prolog = prologOf(decodeUrl(decodeText(bytes ?? new Uint8Array(), ''), false))
    const fetched = fetchedByProlog(prolog.text.toLowerCase())
    if (fetched !== undefined || left <= 0) return fetched
  }
  return undefined
}

/** A drawing in an address of another. */
const PICTURE =
  /["'(]\s{0,64}data:image\/svg[^,"'<>()]{0,200};\s{0,4}base64\s{0,4},([A-Za-z0-9+/\s=]{24,174800})/gi

/** What drawings inside of a drawing have fetched. */
function* pictureIn(text: string, driver: Pausing): Steps<string | undefined> {
  for (const [, coded = ''] of text.matchAll(PICTURE)) {
    const inner = decodeText(Buffer.from(coded, 'base64'), '')
    driver.work(inner.length)
    if (driver.isPaused) yield
    const prolog = prologOf(inner)
    const fetched = fetchedByProlog(prolog.text.toLowerCase())
    if (fetched !== undefined) return fetched
    const opened = elementsOf(withReferences(inner, prolog.text))
    if (opened !== undefined) return opened
  }
  return undefined
}

/** What is read of a drawing in another. */
function elementsOf(drawing: string): string | undefined {
  const kinds = new Set<Kind>(['drawing', 'inclusion'])
  return includedBy(drawing, kinds) ?? namedBy(drawing, kinds) ?? drawnBy(drawing, kinds)
}
