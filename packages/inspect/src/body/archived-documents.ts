import { gzipDataStart } from '../canonicalise/gunzip-short.ts'
import { Inflater } from '../canonicalise/inflate.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import { archiveEscape } from './archive-names.ts'
import { isDocumentStart, MOST_OF_DOCUMENT, MOST_OF_VALUE, readDocument } from './fetched-by-file.ts'
import type { Steps } from './steps.ts'
import { decodeText } from './text.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

const ZIP = 'PK\u0003\u0004'
const LOCAL_HEADER = 30
/** Bytes of an entry that show whether it is a document, those that are read of it first, and at most. */
const START = 64
const FIRST = 4_096
/** What an entry costs besides what it comes to, in characters that are scanned. */
const ENTRY = 1_024
/** Bytes of an entry whose elements are read, and of all that go beyond `FIRST` in one archive. */
const ELEMENTS = 65_536
const ALL_ELEMENTS = 262_144

/**
 * Visits what the documents of an archive have a parser fetch: of a ZIP archive (APPNOTE 4.3.7), as office
 * programs and readers of books keep them, and of a gzip file. Each is read to the end of its prolog. What an
 * entry is called, how long it is and how it is said to be stored says nothing: programs believe the
 * directory at the end of the archive instead.
 * @returns false to end the walk
 */
export function* visitArchived(content: Buffer, location: string, visitor: ValueVisitor): Steps<boolean> {
  if (!isCompressed(content)) return true
  let left = ALL_ELEMENTS
  for (const entry of entriesOf(content)) {
    visitor.work(ENTRY)
    const start = entry.subarray(0, START)
    const read = isDocument(start)
      ? (size: number): Uint8Array => entry.subarray(0, size)
      : (size: number): Uint8Array => inflated(entry, size)
    const document = documentOf(read, visitor, Math.min(left, ELEMENTS))
    if (document !== undefined) {
      if (document.length > FIRST) left -= Math.min(left, document.length)
      if (!visitDocument(document, `${location}#entry`, visitor)) return false
    }
    if (visitor.isPaused) yield
  }
  return true
}

/** How the base64 of a ZIP archive and of a gzip file begins, also in a data URL. */
const CODED = /^\s{0,64}(?:data:[^,]{0,256},)?(?:UEsD|H4sI)/
const CODED_START = /(?:UEsD|H4sI)/
/** How the base64 of a document begins, with or without a mark of its encoding. */
const CODED_DOCUMENT = /^\s{0,64}(?:data:[^,]{0,256},)?((?:77u\/)?P[A-P][A-Za-z0-9+/_\s-])/
/** Bytes of an archive in base64 that are read. */
const LONGEST_CODED = 4_194_304

/** Whether a value begins as an archive in base64. */
export function holdsArchive(text: string): boolean {
  return CODED.test(text)
}

/** The same of an archive in base64, and of where its entries would be unpacked. */
export function* visitCodedArchive(text: string, location: string, visitor: ValueVisitor): Steps<boolean> {
  const start = text.search(CODED_START)
  const bytes = Buffer.from(text.slice(start, start + LONGEST_CODED), 'base64')
  visitor.work(bytes.length >> 2)
  const entry = archiveEscape(bytes)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  return yield* visitArchived(bytes, location, visitor)
}

/** The start of a document in base64; undefined where a value begins as none. */
export function codedDocument(text: string): Buffer | undefined {
  const found = CODED_DOCUMENT.exec(text)
  if (found === null) return undefined
  const start = found[0].length - (found[1] ?? '').length
  return Buffer.from(text.slice(start, start + MOST_OF_VALUE * 2), 'base64').subarray(0, MOST_OF_VALUE)
}

/** Whether bytes begin as a ZIP archive or a gzip file does. */
function isCompressed(bytes: Buffer): boolean {
  return (bytes[0] === 0x50 && bytes[1] === 0x4b) || (bytes[0] === 0x1f && bytes[1] === 0x8b)
}

/** Where the content of each entry begins, to the end of the archive. */
function* entriesOf(content: Buffer): Generator<Buffer> {
  if (content[0] === 0x1f) yield content.subarray(gzipDataStart(content, 0))
  if (content.toString('latin1', 0, ZIP.length) !== ZIP) return
  for (let at = 0; at >= 0 && at + LOCAL_HEADER < content.length; ) {
    const names = content.readUInt16LE(at + 26) + content.readUInt16LE(at + 28)
    yield content.subarray(at + LOCAL_HEADER + names)
    at = content.indexOf(ZIP, at + ZIP.length, 'latin1')
  }
}

/**
 * What a parser of XML would fetch for a file.
 * @returns false to end the walk
 */
export function visitDocument(bytes: Uint8Array, location: string, visitor: ValueVisitor): boolean {
  const { fetched, isEndless, work } = readDocument(bytes)
  visitor.work(work)
  if (isEndless) {
    visitor.tooBig('bounds/expanded', location, `a prolog of more than ${MOST_OF_DOCUMENT} bytes`)
    return false
  }
  return fetched === undefined || visitor.value(fetched, 'form', at(location))
}

/**
 * The start of an entry, if it is a document: as much as tells what it declares, and one byte beyond.
 * @param elements bytes of it whose elements are read
 */
function documentOf(
  read: (size: number) => Uint8Array,
  visitor: ValueVisitor,
  elements: number,
): Uint8Array | undefined {
  if (!isDocument(read(START))) return undefined
  for (let size = FIRST; ; size = Math.min(size * 4, MOST_OF_DOCUMENT + 1)) {
    const bytes = read(size)
    visitor.work(bytes.length)
    if (bytes.length < size || size > MOST_OF_DOCUMENT) return bytes
    if (!prologOf(decodeText(bytes, '')).isComplete) continue
    if (size >= elements) return bytes
    const longer = read(elements)
    visitor.work(longer.length)
    return longer
  }
}

function inflated(bytes: Buffer, most: number): Uint8Array {
  const inflater = new Inflater(bytes.subarray(0, MOST_OF_DOCUMENT), 0, most)
  inflater.run()
  return inflater.bytes
}

function isDocument(bytes: Uint8Array): boolean {
  return bytes.length > 0 && isDocumentStart(decodeText(bytes, ''))
}
