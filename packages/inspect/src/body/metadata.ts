import type { Pausing } from '../canonicalise/in-parts.ts'
import { isDocumentStart } from './fetched-by-file.ts'
import { isZlib, unzlibbed } from './unpacked.ts'

/** Whether a file may hold such metadata, by how it begins. */
export function mayHoldMetadata(content: Buffer): boolean {
  return FIRST.has(content[0] ?? 0)
}

/** How files begin that hold documents of XML among other things: JPEG, PNG, GIF, WebP, TIFF, PDF. */
const HOLDERS = ['\u00ff\u00d8\u00ff', '\u0089PNG', 'GIF8', 'RIFF', 'II*\0', 'MM\0*', '%PDF-'] as const
const FIRST: ReadonlySet<number> = new Set(HOLDERS.map(start => start.charCodeAt(0)))
const PDF = '%PDF-'
/** Names are written so in XML, and in no other way. */
const DECLARED = '<!DOCTYPE'
/** Bytes of one that are read, and how many of one file. */
const LONGEST = 131_072
const MOST = 16
/** The same of a packed one. */
const LONGEST_PACKED = 16_384
/** Streams of PDF (ISO 32000 7.3.8) that are looked at, and the bytes that tell a document. */
const MOST_STREAMS = 2_000
const START = 64
/** What looking at one costs, in characters that are decoded. */
const STREAM = 64
/** Streams between two pauses. */
const BETWEEN = 32

/**
 * What has a document type in the metadata of a picture (XMP) or of PDF (XMP, XFA), from that type on: who
 * reads the metadata parses it as XML, and honest metadata declares none. Undefined where a walk may pause.
 */
export function* metadataIn(content: Buffer, driver: Pausing): Generator<Uint8Array | undefined> {
  const start = content.toString('latin1', 0, 8)
  if (!HOLDERS.some(one => start.startsWith(one))) return
  driver.work(content.length >> 8)
  let count = 0
  for (let at = content.indexOf(DECLARED); at >= 0 && count < MOST; count++) {
    yield content.subarray(at, at + LONGEST)
    at = content.indexOf(DECLARED, at + DECLARED.length)
  }
  if (start.startsWith(PDF)) yield* packedIn(content, driver)
}

/** The documents that PDF holds in packed streams. */
function* packedIn(content: Buffer, driver: Pausing): Generator<Uint8Array | undefined> {
  let count = 0
  for (let at = content.indexOf('stream'); at >= 0 && count < MOST_STREAMS; ) {
    const packed = streamAt(content, at + 'stream'.length)
    if (packed !== undefined) {
      driver.work(STREAM)
      if (++count % BETWEEN === 0) yield undefined
      const read = unzlibbed(packed)
      const start = Buffer.from(read(START)).toString('latin1')
      if (start.includes('<') && isDocumentStart(start)) {
        const document = read(LONGEST_PACKED)
        driver.work(document.length)
        yield document
      }
    }
    at = content.indexOf('stream', at + 1)
  }
}

/** The content of a stream, behind the end of its line, where it is packed as PDF packs them. */
function streamAt(content: Buffer, end: number): Buffer | undefined {
  const line = content[end] === 13 ? end + 1 : end
  const start = content[line] === 10 ? line + 1 : line
  const packed = content.subarray(start)
  return start > end && isZlib(packed) ? packed : undefined
}
