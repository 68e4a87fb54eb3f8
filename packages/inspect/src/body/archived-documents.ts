import { areDeflatedXml } from '../canonicalise/deflated-xml.ts'
import { decodeText } from '../canonicalise/text.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import type { Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { archiveEscape, isTar, tarContents } from './archive-names.ts'
import { isDocumentStart, MOST_OF_DOCUMENT, readDocument } from './fetched-by-file.ts'
import { mayHoldMetadata, metadataIn } from './metadata.ts'
import { gunzipped, inflated, isGzip, isZlib, type Reader, stored, unzlibbed } from './unpacked.ts'
import { unreadableCharset } from './unreadable-charset.ts'
import { isPickle, isRunningPickle, OBJECT } from './upload.ts'
import { isZip, zipEntries } from './zip-entries.ts'

/** Bytes that show what an entry is, of what may be a tar archive, and those read of a document first. */
const START = 64
const TAR_START = 512
const FIRST = 4_096
/**
 * Bytes of that of all documents of an archive: of those that follow only the prolog is read, which is mostly
 * over at the start.
 */
const ALL_FIRST = 524_288
/** What an entry costs besides what it comes to, in characters that are scanned. */
const ENTRY = 1_024
/** Bytes of an entry whose elements are read, and of all that go beyond `FIRST` in one archive. */
const ELEMENTS = 65_536
const ALL_ELEMENTS = 262_144
/** Bytes of an archive in an archive that are read, and of all of them together. */
const INNER = 131_072
const ALL_INNER = 262_144
/** What an archive in an archive counts for at least. */
const LEAST_INNER = 2_048
/** Entries that are looked at of all archives in an archive: a few bytes may hold thousands. */
const INNER_ENTRIES = 256
/** Bytes of prologs longer than `FIRST`, of one archive: more is beyond a bound. */
const ALL_PROLOGS = 1_048_576

/** Bytes of an object of Python, as archives of models hold it, that show what it runs. */
const PICKLE = 256

/** How deep archives lie in each other that are read. */
const DEPTH = 2

/** What may still be read of one archive and those in it. */
interface Left {
  first: number
  elements: number
  inner: number
  /** Of archives in this one. */
  entries: number
  prologs: number
  /** How many archives may lie in this one. */
  readonly depth: number
}

/** Whether a file may hold documents for `visitArchived`. Of most bodies that is seen at once. */
export function mayHoldDocuments(content: Buffer): boolean {
  return isPacked(content) || isTar(content) || isZip(content) || mayHoldMetadata(content)
}

function isPacked(content: Buffer): boolean {
  return isGzip(content) || isZlib(content) || areDeflatedXml(content)
}

/**
 * Visits what the documents of a file have a parser fetch: of a ZIP archive (APPNOTE 4.3.7), as office
 * programs and readers of books keep them, of a tar archive, of gzip and zlib, of archives in these, and of
 * the metadata of pictures and of PDF. Each is read to the end of its prolog. What an entry is called says
 * only when it is read; how long it is and how it is said to be stored says nothing: programs believe the
 * directory at the end of the archive instead.
 * @returns false to end the walk
 */
export function* visitArchived(content: Buffer, location: string, visitor: ValueVisitor): Steps<boolean> {
  const left: Left = {
    first: ALL_FIRST,
    elements: ALL_ELEMENTS,
    inner: ALL_INNER,
    entries: INNER_ENTRIES,
    prologs: ALL_PROLOGS,
    depth: DEPTH,
  }
  if (!(yield* visitPacked(content, location, visitor, left))) return false
  for (const read of metadataIn(content, visitor)) {
    if (visitor.isPaused) yield
    if (read !== undefined && !(yield* visitEntry(read, location, visitor, left))) return false
  }
  return true
}

function* visitPacked(content: Buffer, location: string, visitor: ValueVisitor, left: Left): Steps<boolean> {
  if (isGzip(content)) return yield* visitEntry(gunzipped(content), location, visitor, left, TAR_START)
  if (isZlib(content)) return yield* visitEntry(unzlibbed(content), location, visitor, left, TAR_START)
  if (areDeflatedXml(content)) return yield* visitEntry(inflated(content), location, visitor, left)
  for (const read of yield* entriesOf(content, visitor)) {
    if (left.depth < DEPTH && left.entries-- <= 0) return true
    if (!(yield* visitEntry(read, location, visitor, left))) return false
  }
  return true
}

/** The entries of an archive, none of anything else. */
function* entriesOf(content: Buffer, visitor: ValueVisitor): Steps<Iterable<Reader>> {
  if (isTar(content)) return readersOf(tarContents(content), stored)
  if (!isZip(content)) return []
  const readerOf = (entry: Buffer): Reader =>
    isKnown(entry.subarray(0, START)) ? stored(entry) : inflated(entry)
  return readersOf(yield* zipEntries(content, visitor), readerOf)
}

function* readersOf(entries: Iterable<Buffer>, readerOf: (entry: Buffer) => Reader): Generator<Reader> {
  for (const entry of entries) yield readerOf(entry)
}

/** Whether these bytes, as they are stored, begin a document, an archive or an object. */
function isKnown(start: Buffer): boolean {
  return isDocument(start) || holdsMore(start) || isPickle(start)
}

/** Whether bytes begin as an archive, or as something packed that holds one document. */
function holdsMore(start: Buffer): boolean {
  return isGzip(start) || isTar(start) || (start[0] === 0x50 && start[1] === 0x4b && start[2] === 3)
}

/** @returns false to end the walk */
function* visitEntry(
  read: Reader,
  location: string,
  visitor: ValueVisitor,
  left: Left,
  size = START,
): Steps<boolean> {
  visitor.work(ENTRY)
  const begin = read(size)
  const start = Buffer.from(begin.buffer, begin.byteOffset, begin.length)
  if (isPickle(start)) {
    if (isRunningPickle(read(PICKLE)) && !visitor.value(OBJECT, 'form', at(`${location}#entry`))) return false
  } else if (isDocument(start)) {
    const document = yield* documentOf(read, visitor, left)
    if (document === undefined) {
      visitor.tooBig('bounds/expanded', `${location}#entry`, `prologs of more than ${ALL_PROLOGS} bytes`)
      return false
    }
    if (document.length > FIRST) left.elements -= Math.min(left.elements, document.length)
    if (!(yield* visitDocument(document, `${location}#entry`, visitor))) return false
  } else if (left.depth > 0 && left.inner > 0 && holdsMore(start)) {
    if (!(yield* visitInner(read, location, visitor, left))) return false
  }
  if (visitor.isPaused) yield
  return true
}

/** Visits an archive in an archive. */
function* visitInner(read: Reader, location: string, visitor: ValueVisitor, left: Left): Steps<boolean> {
  const inner = Buffer.from(read(Math.min(left.inner, INNER)))
  visitor.work(inner.length)
  left.inner -= Math.max(inner.length, LEAST_INNER)
  if (visitor.isPaused) yield
  const entry = yield* archiveEscape(inner, visitor)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  const within: Left = { ...left, depth: left.depth - 1 }
  if (!(yield* visitPacked(inner, location, visitor, within))) return false
  left.first = within.first
  left.elements = within.elements
  left.inner = within.inner
  left.entries = within.entries
  left.prologs = within.prologs
  return true
}

/** Whether a file is a document, or may hold some. */
export function mayBeRead(content: Buffer): boolean {
  return isDocument(content) || mayHoldDocuments(content)
}

/**
 * Visits what the documents of a file have a parser fetch, and where its entries would be unpacked.
 * @returns false to end the walk
 */
export function* visitFile(content: Buffer, location: string, visitor: ValueVisitor): Steps<boolean> {
  const entry = yield* archiveEscape(content, visitor)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  if (isDocument(content) && !(yield* visitDocument(content, location, visitor))) return false
  return !mayHoldDocuments(content) || (yield* visitArchived(content, location, visitor))
}

/**
 * What a parser of XML would fetch for a file.
 * @returns false to end the walk
 */
export function* visitDocument(bytes: Uint8Array, location: string, visitor: ValueVisitor): Steps<boolean> {
  const { fetched, isEndless } = yield* readDocument(bytes, visitor)
  if (isEndless) {
    visitor.tooBig('bounds/expanded', location, `a prolog of more than ${MOST_OF_DOCUMENT} bytes`)
    return false
  }
  if (fetched !== undefined && !visitor.value(fetched, 'form', at(location))) return false
  const charset = charsetDeclaredBy(bytes)
  if (charset !== undefined) visitor.tooBig('bounds/charset', location, charset)
  return true
}

/** The charset that a document in ASCII says that it goes on in, where that cannot be read here. */
function charsetDeclaredBy(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x3c || bytes[1] !== 0x3f) return undefined
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, DECLARATION)).toString(
    'latin1',
  )
  const declaration = /^<\?xml\s[^>]{0,200}/.exec(start)?.[0]
  return declaration === undefined ? undefined : unreadableCharset(declaration)
}

const DECLARATION = 256

/**
 * The start of an entry that is a document: as much as tells what it declares, and one byte beyond.
 * @returns undefined where the prologs of an archive come to more than may be read
 */
function* documentOf(read: Reader, visitor: ValueVisitor, left: Left): Steps<Uint8Array | undefined> {
  const elements = Math.min(left.elements, ELEMENTS)
  const least = left.first > 0 ? FIRST : START
  for (let size = least; ; size = Math.min(size * 4, MOST_OF_DOCUMENT + 1)) {
    if (visitor.isPaused) yield
    const bytes = read(size)
    visitor.work(bytes.length)
    if (size === FIRST) left.first -= bytes.length
    if (size > FIRST) left.prologs -= bytes.length
    if (left.prologs < 0) return undefined
    if (bytes.length < size || size > MOST_OF_DOCUMENT) return bytes
    if (!prologOf(decodeText(bytes, '')).isComplete) continue
    if (size >= elements || least === START) return bytes
    const longer = read(elements)
    visitor.work(longer.length)
    return longer
  }
}

function isDocument(bytes: Uint8Array): boolean {
  if (!MAY_BEGIN.has(bytes[0] ?? OTHER)) return false
  return isDocumentStart(decodeText(bytes.subarray(0, SEEN), ''))
}

/** The first byte of nothing, and of most entries, which need not be decoded. */
const OTHER = -1
/**
 * First bytes of documents: `<`, space of any kind in UTF-8 or Latin-1, marks of encodings, what stands for
 * ASCII in a wide one, and EBCDIC.
 */
const MAY_BEGIN: ReadonlySet<number> = new Set([
  ...Array.from({ length: 33 }, (_, byte) => byte),
  ...[0x3c, 0x4c, 0xa0, 0xc2, 0xe1, 0xe2, 0xe3, 0xef, 0xfe, 0xff],
])

/** Bytes that show whether an entry is a document. */
const SEEN = 64
