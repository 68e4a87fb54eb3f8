const ZIP = 0x504b0304
/** Where a tar header says that it is one, and its length. */
const TAR_MAGIC = 257
const TAR_HEADER = 512
const TAR_NAME = 100
/** Bytes of an archive in which names are looked for, and how many of them. */
const READ = 65_536
const MAX_ENTRIES = 256
/**
 * Where the first entry of a ZIP or tar archive would be written that leaves the folder it is unpacked in
 * ("zip slip"), from that folder on; undefined when the start of the content has none or is not an archive.
 * Linear; reads 64 KB.
 */
export function archiveEscape(content: Buffer): string | undefined {
  if (content.length < 8) return undefined
  const bytes = content.subarray(0, READ)
  for (const name of bytes.length < 30
    ? []
    : bytes.readUInt32BE(0) === ZIP
      ? zipNames(bytes)
      : tarNames(bytes)) {
    const entry = escapeOf(name)
    if (entry !== undefined) return entry
  }
  // A head that is not whole: who unpacks it leniently reads the name all the same.
  return FIRST_NAME.exec(bytes.toString('latin1', 0, FIRST_NAME_WITHIN))?.[1]
}

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

/** Names of the local headers (APPNOTE 4.3.7), in the order in which they are stored. */
function* zipNames(bytes: Buffer): Generator<string> {
  let at = 0
  for (let entries = 0; entries < MAX_ENTRIES && at >= 0 && at + 30 <= bytes.length; entries++) {
    const length = bytes.readUInt16LE(at + 26)
    yield bytes.toString('latin1', at + 30, at + 30 + length)
    at = bytes.indexOf('PK\u0003\u0004', at + 30 + length, 'latin1')
  }
}

/** Names of the headers of a tar archive (POSIX.1-2017, ustar), each behind the content of the one before. */
function* tarNames(bytes: Buffer): Generator<string> {
  let at = 0
  for (let entries = 0; entries < MAX_ENTRIES && at + TAR_HEADER <= bytes.length; entries++) {
    if (bytes.toString('latin1', at + TAR_MAGIC, at + TAR_MAGIC + 5) !== 'ustar') return
    const name = bytes.toString('latin1', at, at + TAR_NAME)
    yield name.slice(0, (name.indexOf('\0') + TAR_NAME + 1) % (TAR_NAME + 1) || TAR_NAME)
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 136), 8)
    at += TAR_HEADER * (1 + Math.ceil((Number.isFinite(size) && size > 0 ? size : 0) / TAR_HEADER))
  }
}
