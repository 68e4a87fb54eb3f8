import type { Pausing } from '../canonicalise/in-parts.ts'
import { streamsOf } from './pdf-streams.ts'
import { isZlib, type Reader, stored, unzlibbed } from './unpacked.ts'

/** Bytes in which the mark of PDF stands (ISO 32000-1 annex H, implementation note 13). */
const PDF_WITHIN = 1_024
const PDF = '%PDF-'
const PNG = '\u0089PNG'
/**
 * How files begin that hold documents of XML among other things: JPEG, PNG, GIF, WebP, TIFF, Photoshop,
 * PostScript, JPEG 2000 and XL.
 */
const HOLDERS = [
  '\u00ff\u00d8\u00ff',
  PNG,
  'GIF8',
  'RIFF',
  'II*\0',
  'MM\0*',
  '8BPS',
  '%!PS',
  '\0\0\0\u000cj',
  '\0\0\0\u000cJ',
] as const
/** The same of MP4, HEIF and AVIF (ISO/IEC 14496-12), behind the length of their first box. */
const BOX = 'ftyp'

/** Whether a file may hold such metadata, by how it begins. */
export function mayHoldMetadata(content: Buffer): boolean {
  return isHolder(content) || isPdf(content)
}

/** First bytes of such files: of most bodies the first one tells. */
const FIRST: ReadonlySet<number> = new Set(HOLDERS.map(start => start.charCodeAt(0)))

function isHolder(content: Buffer): boolean {
  if (!FIRST.has(content[0] ?? OTHER)) return false
  const start = content.toString('latin1', 0, 8)
  return HOLDERS.some(one => start.startsWith(one)) || start.startsWith(BOX, 4)
}

const OTHER = -1
/** No shorter file is PDF that holds anything. */
const SHORTEST_PDF = 96

function isPdf(content: Buffer): boolean {
  return content.length >= SHORTEST_PDF && content.toString('latin1', 0, PDF_WITHIN).includes(PDF)
}

/**
 * Names are written so in XML, and in no other way. The metadata of some formats may be in UTF-16: from a
 * letter of ASCII on, one order is read as the other. With the bytes before each, which are in every file.
 */
const DECLARED: readonly (readonly [name: Buffer, before: number])[] = [
  [Buffer.from('DOCTYPE', 'latin1'), 2],
  [Buffer.from('D\0O\0C\0T', 'latin1'), 4],
]
const LESS = 0x3c
/** Bytes of one that are read. */
const LONGEST = 131_072

/**
 * What has a document type in the metadata of a picture (XMP) or of PDF (XMP, XFA), from that type on: who
 * reads the metadata parses it as XML, and honest metadata declares none. Then what is packed in it.
 * Undefined where a walk may pause.
 */
export function* metadataIn(content: Buffer, driver: Pausing): Generator<Reader | undefined> {
  if (!mayHoldMetadata(content)) return
  driver.work(content.length >> 6)
  for (const [name, before] of DECLARED)
    for (let at = content.indexOf(name); at >= 0; at = content.indexOf(name, at + name.length)) {
      const start = Math.max(0, at - before)
      const isOne = content[start] === LESS
      yield isOne ? stored(content.subarray(start, start + LONGEST)) : undefined
    }
  if (isPdf(content)) yield* streamsOf(content, driver)
  if (content.toString('latin1', 0, PNG.length) === PNG) yield* textsOf(content, driver)
}

/** Chunks of PNG that hold a packed text, behind its keyword (PNG section 11.3.3). */
const PACKED_TEXT = /^[^\0]{1,79}\0(?:\0|\u0001\0[^\0]{0,79}\0[^\0]{0,255}\0)/
const TEXT_CHUNKS = ['iTXt', 'zTXt'] as const
const TEXT_HEAD = 512
/** What looking at one costs, in characters that are decoded. */
const TEXT = 64

/** Packed texts of PNG. How long a chunk is said to be hides none behind it. */
function* textsOf(content: Buffer, driver: Pausing): Generator<Reader | undefined> {
  for (const chunk of TEXT_CHUNKS)
    for (let at = content.indexOf(chunk); at >= 0; at = content.indexOf(chunk, at + chunk.length)) {
      driver.work(TEXT)
      const start = at + chunk.length
      const head = PACKED_TEXT.exec(content.toString('latin1', start, start + TEXT_HEAD))?.[0]
      const packed = head === undefined ? undefined : content.subarray(start + head.length)
      yield packed !== undefined && isZlib(packed) ? unzlibbed(packed) : undefined
    }
}
