import { boundariesOf, dispositionParameters, namesFile } from '@postern/core'
import { charsetOf } from '../canonicalise/charset.ts'
import { decodeBytes, decodeLongBytes, isBinary } from '../canonicalise/text.ts'
import type { Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { archiveEscape } from './archive-names.ts'
import { mayHoldDocuments, visitArchived, visitDocument } from './archived-documents.ts'
import { withoutRequestLines } from './batched-requests.ts'
import { isCertificate } from './certificate-file.ts'
import { valuesOf } from './disposition-values.ts'
import { visitForm } from './form.ts'
import { EMPTY_LINE, MAX_PART_HEADERS, MAX_PARTS, visitLooseParts } from './loose-parts.ts'
import { MOST_UNPACKED, transferDecoded } from './transfer-encoding.ts'
import { unreadableCharset } from './unreadable-charset.ts'
import { mayBeDocument, scriptIn } from './upload.ts'

/** Readings of a content type: honest ones have one. */
const MAX_BOUNDARIES = 4
const LF = 10
const CR = 13
const HYPHEN = 45

/** What stands behind the last boundary of most bodies: the end of a delimiter, and nothing to read. */
const END = /^--\r?\n?$/
const LONGEST_END = 4

/**
 * Walks the parts of a multipart body under every boundary that some parser may read in its content type.
 * @returns false where the body has no delimiter of such a boundary
 */
export function* visitParts(bytes: Buffer, contentType: string, visitor: ValueVisitor): Steps<boolean> {
  if (yield* visitByBoundaries(bytes, contentType, visitor)) return true
  if (!(yield* visitOutside(bytes, visitor))) return false
  // Rack takes a body whose boundary it cannot read for a form.
  yield* visitForm(yield* decodeLongBytes(bytes, visitor), 'body', 'form', visitor)
  return false
}

/** As `visitParts`, of bytes under a content coding, which say nothing but where they hold a part. */
export function* visitCodedParts(bytes: Buffer, contentType: string, visitor: ValueVisitor): Steps {
  if (!(yield* visitByBoundaries(bytes, contentType, visitor))) yield* visitLooseParts(bytes, visitor)
}

/** As `visitParts`, of a body that few parsers take for one of several parts. */
export function* visitPossibleParts(bytes: Buffer, contentType: string, visitor: ValueVisitor): Steps {
  yield* visitByBoundaries(bytes, contentType, visitor)
}

/** Formidable looks for it anywhere in a content type, and `Request.formData` at the end of a list. */
const NAMES_PARTS = /multipart|boundary/i

/** Whether some parser takes a body for one of several parts, by its content type. */
export function namesParts(contentType: string): boolean {
  return NAMES_PARTS.test(contentType)
}

const STRICT_TYPE =
  /^multipart\/[\w.+-]{1,60}[ \t]{0,8}(?:;[ \t]{0,8}(?!boundary)[\w-]{1,40}=(?:"[^"\\;]{0,200}"|[^\s",;\\]{1,200})[ \t]{0,8}){0,8};[ \t]{0,8}boundary=(?:"[^\s",;\\]{1,200}"|[^\s",;\\]{1,200})[ \t]{0,8}(?:;(?!.*boundary).{0,200})?$/i

/** Whether every parser reads the same boundary in a content type. */
export function hasOneBoundary(contentType: string): boolean {
  return STRICT_TYPE.test(contentType)
}

/** Rack takes a body whose boundary it cannot read for a form: pairs behind the first have names. */
function* visitPairs(bytes: Buffer, visitor: ValueVisitor): Steps {
  const first = bytes.indexOf('&')
  if (first < 0) return
  yield* visitForm(yield* decodeLongBytes(bytes.subarray(first + 1), visitor), 'body', 'form', visitor)
}

/** @returns false where the body has no delimiter of any boundary */
function* visitByBoundaries(bytes: Buffer, contentType: string, visitor: ValueVisitor): Steps<boolean> {
  const boundaries = boundariesOf(contentType).filter(one => firstDelimiter(bytes, one, 0) >= 0)
  if (boundaries.length > MAX_BOUNDARIES)
    visitor.tooBig('bounds/parts', 'body', `more than ${MAX_BOUNDARIES} boundaries`)
  if (boundaries.length === 0) return false
  const isCertain = hasOneBoundary(contentType)
  for (const boundary of boundaries.slice(0, MAX_BOUNDARIES))
    yield* visitMultipart(bytes, boundary, visitor, isCertain)
  if (!isCertain) yield* visitPairs(bytes, visitor)
  return true
}

/**
 * Walks the parts of a multipart body (RFC 7578): field values as values, file names as file names; of a
 * file's content only whether a server would run it, and of an archive where it would be unpacked to. Line
 * ends may be CRLF or LF, and parts may follow the closing delimiter, as lenient servers allow. What stands
 * before, between and inside the parts is searched for what some parser takes for a part. Linear.
 * @param isCertain whether every parser reads this boundary. Where not, what is a file to one is all that
 * stands behind the first head, and so the value of a field, to another
 */
export function* visitMultipart(
  bytes: Buffer,
  boundary: string,
  visitor: ValueVisitor,
  isCertain = true,
): Steps {
  let start = firstDelimiter(bytes, boundary, 0)
  const reading = { isCertain }
  if (start > 0 && !(yield* visitOutside(bytes.subarray(0, start), visitor))) return
  for (let part = 0; start >= 0; part++) {
    if (part === MAX_PARTS) {
      visitor.tooBig('bounds/parts', 'body', `more than ${MAX_PARTS} parts`)
      return
    }
    const from = start + boundary.length + 2
    const next = firstDelimiter(bytes, boundary, from)
    const isEnd = bytes[from] === HYPHEN && bytes[from + 1] === HYPHEN
    const content = bytes.subarray(from, next < 0 ? bytes.length : next)
    if (isEnd && next < 0 && content.length <= LONGEST_END && END.test(content.toString('latin1'))) return
    if (!(yield* isEnd ? visitOutside(content, visitor) : visitPart(content, reading, visitor))) return
    if (visitor.isPaused) yield
    start = next
  }
}

/**
 * Visits what stands outside of all parts. Some parser may read parts there all the same, and Rack gives the
 * value of one to the application whatever its head is called.
 * @returns false to end the walk
 */
function* visitOutside(bytes: Buffer, visitor: ValueVisitor): Steps<boolean> {
  const pieces = bytes.toString('latin1').split(/[\r\n]{1,4}-/, MAX_PARTS + 1)
  if (pieces.length > MAX_PARTS) {
    visitor.tooBig('bounds/parts', 'body', `more than ${MAX_PARTS} parts`)
    return false
  }
  for (const piece of pieces) {
    const empty = new RegExp(EMPTY_LINE).exec(piece)
    const value = empty === null ? piece : piece.slice(empty.index + empty[0].length)
    if (!visitor.value(value, 'form', at('body'))) return false
    if (visitor.isPaused) yield
  }
  return yield* visitLooseParts(bytes, visitor)
}

/** Where the first delimiter begins, or -1. It is a line of its own, spaces behind it allowed. */
export function firstDelimiter(bytes: Buffer, boundary: string, from: number): number {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let found = bytes.indexOf(delimiter, from)
  while (found >= 0 && !isLine(bytes, found, found + delimiter.length))
    found = bytes.indexOf(delimiter, found + 1)
  return found
}

/** Where the last delimiter begins, or -1. */
export function lastDelimiter(bytes: Buffer, boundary: string): number {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let found = bytes.lastIndexOf(delimiter)
  while (found > 0 && !isLine(bytes, found, found + delimiter.length))
    found = bytes.lastIndexOf(delimiter, found - 1)
  return found === 0 && !isLine(bytes, 0, delimiter.length) ? -1 : found
}

function isLine(bytes: Buffer, start: number, end: number): boolean {
  const before = bytes[start - 1]
  if (before !== undefined && before !== LF && before !== CR) return false
  const behind = bytes[end]
  return (
    behind === undefined ||
    behind === LF ||
    behind === CR ||
    behind === 32 ||
    behind === 9 ||
    (behind === HYPHEN && (bytes[end + 1] ?? HYPHEN) === HYPHEN)
  )
}

/** A part up to where its content begins; undefined when that has not arrived. */
export function partHead(part: Buffer): Buffer | undefined {
  const crlf = part.indexOf('\n\r\n')
  const lf = part.indexOf('\n\n')
  if (crlf >= 0 && (lf < 0 || crlf < lf)) return part.subarray(0, crlf + 3)
  return lf < 0 ? undefined : part.subarray(0, lf + 2)
}

/**
 * What every parser takes for the head of a part, from behind the delimiter to behind the empty line: line
 * ends of one kind, a name and a colon in each line, none folded, one disposition.
 */
const STRICT_HEAD = /^(\r?\n)(?:[\w-]{1,64}:[^\r\n]*\1){1,20}\1$/
/**
 * Quoted values with escapes but no semicolon, or a semicolon but no escapes; or tokens. Each in one way, or
 * a long head would be tried in 2^n.
 */
const STRICT_DISPOSITION =
  /^content-disposition:[ \t]{0,4}[\w-]{1,20}(?:;[ \t]{0,4}[\w-]{1,20}\*?=(?:"[^"\\]*"|"[^"\\;]*\\["\\](?:[^"\\;]|\\["\\])*"|[\w!#$&+.^`|~%'-]+))*[ \t]{0,4};?[ \t]{0,4}$/i

/**
 * What the part with this head is to every parser: a file, a field, or to some the one and to some the other.
 * @param head in Latin-1, from behind the delimiter to behind the empty line
 */
function kindOf(head: string): 'file' | 'field' | 'either' {
  if (!STRICT_HEAD.test(head)) return 'either'
  const [disposition, another] = head.split(/\r?\n/).filter(line => DISPOSITION.test(line))
  if (disposition === undefined || another !== undefined || !STRICT_DISPOSITION.test(disposition))
    return 'either'
  // Rack tells capitals in the name of a parameter.
  if (CAPITALS.test(disposition)) return 'either'
  const parameters = dispositionParameters(disposition)
  const count = (wanted: string): number => parameters.filter(([name]) => name === wanted).length
  if (count('name') !== 1 || count('name*') > 0 || count('filename') > 1 || count('filename*') > 1)
    return 'either'
  if (namesFile(parameters)) return 'file'
  return count('filename') + count('filename*') === 0 ? 'field' : 'either'
}

const CAPITALS = /;[ \t]{0,4}[\w-]{0,20}[A-Z][\w-]{0,20}\*?=/

/** Whether every parser takes the part with this head, from the delimiter on, for a file. */
export function isFileHead(head: string): boolean {
  const line = head.search(/\r?\n/)
  return line >= 0 && kindOf(head.slice(line)) === 'file'
}

const DISPOSITION = /^\s{0,64}content-disposition\b/i

/** @param reading whether every parser reads all parts so far alike: if not, some read the rest otherwise */
function* visitPart(part: Buffer, reading: { isCertain: boolean }, visitor: ValueVisitor): Steps<boolean> {
  const head = partHead(part)
  const headerEnd = head?.length ?? part.length
  if (headerEnd > MAX_PART_HEADERS) {
    visitor.tooBig('bounds/part-header', 'body', `a part header longer than ${MAX_PART_HEADERS} bytes`)
    return false
  }
  const headers = decodeBytes(part.subarray(0, headerEnd))
  const kind = reading.isCertain ? kindOf(headers) : 'either'
  reading.isCertain = kind !== 'either'
  const lines = headers.replace(/\r?\n[ \t]{1,64}/g, ' ').split(/\r?\n/)
  const content = contentBehind(part, headerEnd)
  const parameters = lines.filter(line => DISPOSITION.test(line)).flatMap(dispositionParameters)
  const names = valuesOf(parameters, /^name\b/)
  const location = names[0] === undefined ? UNNAMED : `body.${names[0].slice(0, 64)}`
  for (const name of names.length === 0 ? [''] : names)
    if (!visitor.value(name, 'name', at(`${location}#name`))) return false
  // To some parsers a carriage return alone ends a line.
  const all = kind === 'either' ? lines.flatMap(line => line.split('\r')) : lines
  const others = all.filter(line => line !== '' && !DISPOSITION.test(line))
  if (!others.every(line => visitor.value(line, 'header', at(`${location}#header`)))) return false
  const read = { visit: kind === 'file' ? visitUntyped : visitField, lines: others, location }
  if (!(yield* visitContents(content, valuesOf(parameters, /^filename\b/), read, visitor))) return false
  return yield* visitLooseParts(kind === 'either' ? part : content, visitor)
}

/** What stands behind the head of a part, less the line end before the next delimiter. */
function contentBehind(part: Buffer, headerEnd: number): Buffer {
  let end = part.length
  if (part[end - 1] === LF) end--
  if (part[end - 1] === CR) end--
  return part.subarray(Math.min(headerEnd, end), end)
}

/** How the content of a part is read, besides as a file. */
interface PartReading {
  readonly visit: typeof visitField
  /** Of the head, but for the disposition. */
  readonly lines: readonly string[]
  readonly location: string
}

/** Visits the content of a part, as it is and as its transfer encoding has it. */
function* visitContents(
  content: Buffer,
  fileNames: readonly string[],
  { visit, lines, location }: PartReading,
  visitor: ValueVisitor,
): Steps<boolean> {
  for (const bytes of [content, ...transferDecoded(content, lines)]) {
    if (bytes !== content) countDecoded(bytes, content, fileNames.length > 0, location, visitor)
    if (visitor.isPaused) yield
    if (!(yield* visit(bytes, lines, location, visitor))) return false
    if (visitor.isPaused) yield
    if (!(yield* visitFileUnder(fileNames, bytes, location, visitor))) return false
    if (visitor.isPaused) yield
  }
  return true
}

/** Counts what decoding a part costs; a field may go on behind what is unpacked of it. */
function countDecoded(
  decoded: Buffer,
  content: Buffer,
  isFile: boolean,
  location: string,
  visitor: ValueVisitor,
): void {
  visitor.work(decoded.length > content.length ? decoded.length : content.length >> 2)
  if (!isFile && decoded.length === MOST_UNPACKED)
    visitor.tooBig('bounds/expanded', location, `a part of more than ${MOST_UNPACKED} bytes`)
}

function* visitFileUnder(
  names: readonly string[],
  content: Buffer,
  location: string,
  visitor: ValueVisitor,
): Steps<boolean> {
  if (names.length > 0 && !(yield* visitNames(names, content, location, visitor))) return false
  // A part without a name is a file too: of a message of SOAP, or of a mail.
  const isDocument = names.length === 0 ? charsetOf(content, '') !== undefined : names.some(mayBeDocument)
  // Once, however many names it has.
  if (isDocument && !(yield* visitDocument(content, `${location}#content`, visitor))) return false
  return !mayHoldDocuments(content) || (yield* visitArchived(content, location, visitor))
}

/** Where the part stands that names no field. */
const UNNAMED = 'body.'

/** The field that names the charset of all others (RFC 7578 section 4.6). */
const CHARSET_FIELD = 'body._charset_'

/** A type that makes a part a file, whoever reads it. */
const TYPED = /^content-type\s{0,8}:\s{0,8}(?!(?:application|text)\/(?:[\w.-]{1,40}\+)?json\b)\S/i

/**
 * Visits a file that names no type: formidable gives it to the application as the value of a field, and
 * Python's requests sends files so. One that is JSON by its type is read into an object by Spring and Jersey,
 * and pages send objects so, as a `Blob`. It is read as a text, with the benefit of the doubt that long ones
 * get.
 */
function* visitUntyped(
  content: Buffer,
  lines: readonly string[],
  location: string,
  visitor: ValueVisitor,
): Steps<boolean> {
  if (lines.some(line => TYPED.test(line)) || isBinary(content, '')) return true
  return visitor.value(yield* decodeLongBytes(content, visitor), 'body', at(location))
}

function* visitField(
  content: Buffer,
  lines: readonly string[],
  location: string,
  visitor: ValueVisitor,
): Steps<boolean> {
  const place = at(location)
  const text = withoutRequestLines(yield* decodeLongBytes(content, visitor), lines, location !== UNNAMED)
  if (!visitor.value(text, 'form', place)) return false
  for (const line of location === CHARSET_FIELD ? [...lines, `charset=${text}`] : lines) {
    const charset = unreadableCharset(line)
    if (charset !== undefined) visitor.tooBig('bounds/charset', location, charset)
  }
  return true
}

/** What a server would run of a file, and where it, or what it holds, would be written. */
function* visitNames(
  names: readonly string[],
  content: Buffer,
  location: string,
  visitor: ValueVisitor,
): Steps<boolean> {
  for (const name of names) {
    if (isCertificate(name, content)) continue
    if (!visitor.value(name, 'file-name', at(`${location}#filename`))) return false
  }
  const entry = yield* archiveEscape(content, visitor)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  for (const name of names) {
    const script = scriptIn(content, name)
    if (script !== undefined && !visitor.value(script, 'form', at(`${location}#content`))) return false
  }
  return true
}
