import type { Pausing } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'

const ZIP = 'PK\u0003\u0004'
const LOCAL_HEADER = 30
const LISTED = 'PK\u0001\u0002'
const LISTED_HEADER = 46
const END = Buffer.from('PK\u0005\u0006', 'latin1')
const END_HEADER = 22
/** How far before the end of an archive its last record begins: behind that, a comment (APPNOTE 4.3.16). */
const FURTHEST_END = 65_535 + END_HEADER
/** Characters of a name that tell what an entry is: its start, and where it ends. */
const NAME = 512
/** Entries that are no longer come before others of their kind. */
const SHORT = 4_096
/** Entries between two pauses, and what finding each costs, in characters that are decoded. */
const BETWEEN = 256
const FOUND = 8

/** What programs open first of such an archive, whatever else is in it. */
const OPENED_FIRST =
  /^(?:\[content_types\]\.xml|word\/document\.xml|xl\/(?:workbook|sharedstrings)\.xml|ppt\/presentation\.xml|(?:content|styles|meta|settings)\.xml|docprops\/(?:core|app|custom)\.xml|meta-inf\/[^/]*|(?:.*\/)?_rels\/[^/]*\.rels|(?:.*\/)?(?:pom|web|plugin|androidmanifest|imsmanifest)\.xml|.*\.opf)$/s
const DOCUMENT =
  /\.(?:xml|svg|rels|x?html?|opf|ncx|xslt?|xsd|dtd|rdf|kml|gpx|drawio|vsdx?|plist|fodt|config)$/
const ARCHIVE = /\.(?:svgz|gz|tgz|zip|jar|war|ear|docx|xlsx|pptx|odt|ods|odp|epub)$/
/** Kinds of entries by their names, in the order in which they are read. */
const KINDS = [OPENED_FIRST, DOCUMENT, ARCHIVE] as const

/** Where the last record of a ZIP archive stands; -1 where there is none. */
function endRecordOf(content: Buffer): number {
  const tail = Math.max(0, content.length - FURTHEST_END)
  const found = content.subarray(tail).lastIndexOf(END)
  return found < 0 || tail + found + END_HEADER > content.length ? -1 : tail + found
}

/** Whether bytes are a ZIP archive, also behind something else: many programs begin at its end. */
export function isZip(content: Buffer): boolean {
  if (content.length < LOCAL_HEADER) return false
  return content.readUInt32BE(0) === 0x504b0304 || endRecordOf(content) >= 0
}

/** The entries of an archive, in the order in which they are to be read. */
class Entries {
  /** Of each kind those that are short, and the others. */
  readonly #starts: number[][] = Array.from({ length: (KINDS.length + 1) * 2 }, () => [])
  readonly #known = new Set<number>()
  readonly #content: Buffer

  constructor(content: Buffer) {
    this.#content = content
  }

  /** @param header where its local header stands, whether or not that says so */
  add(header: number, name: string, length: number): void {
    if (header < 0 || header + LOCAL_HEADER >= this.#content.length) return
    const names = this.#content.readUInt16LE(header + 26) + this.#content.readUInt16LE(header + 28)
    const start = header + LOCAL_HEADER + names
    if (start >= this.#content.length || this.#known.has(start)) return
    this.#known.add(start)
    const kind = KINDS.findIndex(one => one.test(name))
    this.#starts[(kind < 0 ? KINDS.length : kind) * 2 + (length > SHORT ? 1 : 0)]?.push(start)
  }

  *inOrder(): Generator<Buffer> {
    for (const starts of this.#starts) for (const start of starts) yield this.#content.subarray(start)
  }
}

/**
 * Where the content of each entry of a ZIP archive begins (APPNOTE 4.3), each to the end of the archive:
 * those that its directory lists, and those that only have a header of their own, which who reads an archive
 * as it arrives finds. What programs open first comes first, so that what is read of an archive is not used
 * up by what nobody opens.
 */
export function* zipEntries(content: Buffer, driver: Pausing): Steps<Iterable<Buffer>> {
  const entries = new Entries(content)
  let count = 0
  for (const walk of [listed, local])
    for (const [header, name, length] of walk(content)) {
      entries.add(header, name, length)
      if (++count % BETWEEN !== 0) continue
      driver.work(BETWEEN * FOUND)
      if (driver.isPaused) yield
    }
  return entries.inOrder()
}

type Found = readonly [header: number, name: string, length: number]

function nameAt(content: Buffer, start: number, length: number): string {
  return content.toString('latin1', start, start + Math.min(length, NAME)).toLowerCase()
}

/** What the directory lists. Something before the archive moves all of it. */
function* listed(content: Buffer): Generator<Found> {
  const end = endRecordOf(content)
  if (end < 0) return
  const size = content.readUInt32LE(end + 12)
  const moved = end - size - content.readUInt32LE(end + 16)
  for (let at = end - size; at >= 0 && at + LISTED_HEADER <= end; ) {
    if (content.toString('latin1', at, at + LISTED.length) !== LISTED) return
    const nameLength = content.readUInt16LE(at + 28)
    const name = nameAt(content, at + LISTED_HEADER, nameLength)
    yield [content.readUInt32LE(at + 42) + moved, name, content.readUInt32LE(at + 24)]
    at += LISTED_HEADER + nameLength + content.readUInt16LE(at + 30) + content.readUInt16LE(at + 32)
  }
}

/** What has a header, to the end of the archive. */
function* local(content: Buffer): Generator<Found> {
  for (let at = content.indexOf(ZIP, 0, 'latin1'); at >= 0; ) {
    if (at + LOCAL_HEADER >= content.length) return
    const next = content.indexOf(ZIP, at + ZIP.length, 'latin1')
    const length = (next < 0 ? content.length : next) - at
    yield [at, nameAt(content, at + LOCAL_HEADER, content.readUInt16LE(at + 26)), length]
    at = next
  }
}
