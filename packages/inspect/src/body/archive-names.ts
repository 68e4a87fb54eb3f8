import type { Pausing } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'

const ZIP = 0x504b0304
/** Where a tar header says that it is one, and its length. */
const TAR_MAGIC = 257
const TAR_HEADER = 512
const TAR_NAME = 100
/**
 * Where the first entry of a ZIP or tar archive would be written that leaves the folder it is unpacked in
 * ("zip slip"), from that folder on; undefined when the content has none or is not an archive.
 * Linear; every entry is looked at, or harmless ones would hide one behind them.
 */
export function* archiveEscape(content: Buffer, driver: Pausing): Steps<string | undefined> {
  if (content.length < 8) return undefined
  let count = 0
  for (const name of content.length < 30
    ? []
    : content.readUInt32BE(0) === ZIP
      ? zipNames(content)
      : tarNames(content)) {
    const entry = name.includes('..') ? escapeOf(name) : undefined
    if (entry !== undefined) return entry
    if (++count % BETWEEN !== 0) continue
    driver.work(BETWEEN * NAME)
    if (driver.isPaused) yield
  }
  // A head that is not whole: who unpacks it leniently reads the name all the same.
  return FIRST_NAME.exec(content.toString('latin1', 0, FIRST_NAME_WITHIN))?.[1]
}

/** Names between two pauses, and what looking at each costs, in characters that are decoded. */
const BETWEEN = 256
const NAME = 8
const FIRST_NAME_WITHIN = 700
/** The first name of an archive, behind its mark or before it, if it begins with steps up. */
const FIRST_NAME =
  /^(?:PK\u0003\u0004[^/\\]{0,96}?|(?=[\s\S]{0,600}ustar))(\.\.[/\\](?:\.\.[/\\]){0,16}[\w./\\-]{1,160})/

/** A path as it is once its steps up are taken; undefined when it stays below where it starts. */
function escapeOf(name: string): string | undefined {
  let depth = 0
  const segments = name.split(/[/\\]/)
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') depth--
    else if (segment !== '' && segment !== '.') depth++
    if (depth < 0) return ['..', ...segments.slice(index + 1)].join('/').slice(0, 200)
  }
  return undefined
}

/** Longer names are read to here: no system has them. */
const LONGEST_NAME = 4_096

/**
 * Names of the local headers (APPNOTE 4.3.7), in the order in which they are stored. How long a name is said
 * to be hides no header behind it.
 */
function* zipNames(bytes: Buffer): Generator<string> {
  let at = 0
  while (at >= 0 && at + 30 <= bytes.length) {
    const length = Math.min(bytes.readUInt16LE(at + 26), LONGEST_NAME)
    const next = bytes.indexOf('PK\u0003\u0004', at + 30, 'latin1')
    yield bytes.toString('latin1', at + 30, next < 0 ? at + 30 + length : Math.min(next, at + 30 + length))
    at = next
  }
}

/** Whether bytes are a tar archive. */
export function isTar(bytes: Buffer): boolean {
  return bytes[TAR_MAGIC] === 0x75 && bytes.toString('latin1', TAR_MAGIC, TAR_MAGIC + 5) === 'ustar'
}

/**
 * Where the headers of a tar archive stand (POSIX.1-2017, ustar), those in its entries too. How long an entry
 * is said to be hides no header behind it: that can be said in several ways, which programs rank differently.
 */
function* tarHeaders(bytes: Buffer): Generator<number> {
  for (let at = 0; at + TAR_HEADER <= bytes.length; at += TAR_HEADER)
    if (bytes[at + TAR_MAGIC] === 0x75 && isTar(bytes.subarray(at))) yield at
}

function* tarNames(bytes: Buffer): Generator<string> {
  for (const at of tarHeaders(bytes)) {
    const name = bytes.toString('latin1', at, at + TAR_NAME)
    yield name.slice(0, (name.indexOf('\0') + TAR_NAME + 1) % (TAR_NAME + 1) || TAR_NAME)
  }
}

/** Where the content of each entry of a tar archive begins, to the end of the archive. */
export function* tarContents(bytes: Buffer): Generator<Buffer> {
  for (const at of tarHeaders(bytes)) yield bytes.subarray(at + TAR_HEADER)
}
