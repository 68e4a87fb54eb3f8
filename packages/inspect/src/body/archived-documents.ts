import { gzipDataStart } from '../canonicalise/gunzip-short.ts'
import { Inflater } from '../canonicalise/inflate.ts'
import { prologOf } from '../lex/xml-prolog.ts'
import { MOST_OF_DOCUMENT, readDocument } from './fetched-by-file.ts'
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

/**
 * Visits what the documents of an archive have a parser fetch: of a ZIP archive (APPNOTE 4.3.7), as office
 * programs and readers of books keep them, and of a gzip file. Each is read to the end of its prolog. What an
 * entry is called, how long it is and how it is said to be stored says nothing: programs believe the
 * directory at the end of the archive instead.
 * @returns false to end the walk
 */
export function* visitArchived(content: Buffer, location: string, visitor: ValueVisitor): Steps<boolean> {
  if (!isCompressed(content)) return true
  for (const entry of entriesOf(content)) {
    visitor.work(ENTRY)
    const start = entry.subarray(0, START)
    const read = isDocumentStart(start)
      ? (size: number): Uint8Array => entry.subarray(0, size)
      : (size: number): Uint8Array => inflated(entry, size)
    const document = documentOf(read, visitor)
    if (document !== undefined && !visitDocument(document, `${location}#entry`, visitor)) return false
    if (visitor.isPaused) yield
  }
  return true
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

/** The start of an entry, if it is a document: as much as tells what it declares, and one byte beyond. */
function documentOf(read: (size: number) => Uint8Array, visitor: ValueVisitor): Uint8Array | undefined {
  if (!isDocumentStart(read(START))) return undefined
  for (let size = FIRST; ; size = Math.min(size * 4, MOST_OF_DOCUMENT + 1)) {
    const bytes = read(size)
    visitor.work(bytes.length)
    if (bytes.length < size || size > MOST_OF_DOCUMENT) return bytes
    if (prologOf(decodeText(bytes, '')).isComplete) return bytes
  }
}

function inflated(bytes: Buffer, most: number): Uint8Array {
  const inflater = new Inflater(bytes.subarray(0, MOST_OF_DOCUMENT), 0, most)
  inflater.run()
  return inflater.bytes
}

function isDocumentStart(bytes: Uint8Array): boolean {
  return bytes.length > 0 && /^[\ufeff\s]*(?:<|$)/.test(decodeText(bytes, ''))
}
