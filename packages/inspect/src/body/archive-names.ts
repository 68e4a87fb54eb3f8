import type { Pausing } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'
import { inflated } from './unpacked.ts'
import { isZip } from './zip-entries.ts'

/** Where a tar header says that it is one, and its length. */
const TAR_MAGIC = 257
const TAR_HEADER = 512
const TAR_NAME = 100
/**
 * Where the first entry of a ZIP or tar archive would be written that leaves the folder it is unpacked in
 * ("zip slip"), or what it links to there, from that folder on; undefined when the content has none or is
 * not an archive. Links to what is beside the folder are honest: those to files of the system count.
 * Linear; every entry is looked at, or harmless ones would hide one behind them.
 */
export function* archiveEscape(content: Buffer, driver: Pausing): Steps<string | undefined> {
  if (content.length < 8) return undefined
  let count = 0
  for (const { name, link } of namesIn(content)) {
    const entry = link === undefined ? escapeOf(name) : linkedOutside(link)
    if (entry !== undefined) return entry
    // What a link leads to may be packed, and names in headers of their own are long.
    if (link !== undefined) driver.work(LONGEST_LINK)
    if (++count % BETWEEN !== 0) continue
    driver.work(BETWEEN * NAME)
    if (driver.isPaused) yield
  }
  // A head that is not whole: who unpacks it leniently reads the name all the same.
  return isWholeHead(content)
    ? undefined
    : FIRST_NAME.exec(content.toString('latin1', 0, FIRST_NAME_WITHIN))?.[1]
}

/** Whether bytes begin with a whole header of ZIP: no version needs its second byte, and a name follows. */
function isWholeHead(content: Buffer): boolean {
  if (content.length < 30 || content.toString('latin1', 0, 2) !== 'PK' || content[5] !== 0) return false
  const length = content.readUInt16LE(26)
  return /^[ -~\x80-\xff]{1,255}$/.test(content.toString('latin1', 30, 30 + Math.min(length, 256)))
}

/** Names between two pauses, and what looking at each costs, in characters that are decoded. */
const BETWEEN = 256
const NAME = 8
const FIRST_NAME_WITHIN = 700
/** The first name of an archive, behind its mark or before it, if it begins with steps up. */
const FIRST_NAME =
  /^(?:PK\u0003\u0004[^/\\]{0,96}?|(?=[\s\S]{0,600}ustar))(\.\.[/\\](?:\.\.[/\\]){0,16}[\w./\\-]{1,160})/

/** An entry: what it is called, and what it links to, if it is a link. */
interface Named {
  readonly name: string
  readonly link?: string | undefined
}

function namesIn(content: Buffer): Iterable<Named> {
  if (content.length < 30) return []
  return isZip(content) ? zipNames(content) : tarNames(content)
}

/** Places of a system, from its root, where nobody's files are unpacked by that name. */
const SYSTEM =
  /^(?:[a-z]:)?[/\\]{1,2}(?:etc[/\\](?:cron|passwd|shadow|sudoers|init\.d|rc|profile|ssh|ld\.so)|root[/\\]\.|home[/\\][^/\\]{1,64}[/\\]\.|var[/\\](?:spool[/\\]cron|www)|windows[/\\]|winnt[/\\]|inetpub[/\\]|proc[/\\]self)/i
/** Files of a system that a link is made to in order to have them read or replaced. */
const LINKED =
  /^(?:[a-z]:)?(?:[/\\]|(?:\.\.?[/\\]){1,64})((?:etc[/\\](?:passwd|g?shadow|sudoers|ssh|cron)|root(?:[/\\]|$)|proc[/\\](?:self|\d{1,8})[/\\](?:environ|cmdline|root|cwd)|home[/\\][^/\\]{1,64}[/\\]\.|(?:[^/\\]{1,64}[/\\]){0,4}\.(?:ssh|aws|kube)[/\\]|windows[/\\]).{0,160})/i

function linkedOutside(link: string): string | undefined {
  const found = LINKED.exec(link)?.[1]
  return found === undefined ? undefined : `../${found}`
}

/** A path as it is once its steps up are taken; undefined when it stays below where it starts. */
function escapeOf(name: string): string | undefined {
  // What PHP reads into an object when any of its functions opens the archive.
  if (name.startsWith('.phar/')) return name.slice(0, 200)
  if (!name.includes('..'))
    return SYSTEM.test(name) ? `../${name.replace(/^(?:[a-z]:)?[/\\]+/i, '').slice(0, 200)}` : undefined
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
 * Names of the local headers (APPNOTE 4.3.7), in the order in which they are stored, then what the directory
 * says is a link. How long a name is said to be hides no header behind it.
 */
function* zipNames(bytes: Buffer): Generator<Named> {
  let at = bytes.indexOf('PK\u0003\u0004', 0, 'latin1')
  while (at >= 0 && at + 30 <= bytes.length) {
    const length = Math.min(bytes.readUInt16LE(at + 26), LONGEST_NAME)
    const next = bytes.indexOf('PK\u0003\u0004', at + 30, 'latin1')
    const end = next < 0 ? at + 30 + length : Math.min(next, at + 30 + length)
    yield { name: bytes.toString('latin1', at + 30, end) }
    at = next
  }
  for (at = bytes.indexOf(LISTED); at >= 0; at = bytes.indexOf(LISTED, at + LISTED.length))
    if (at + 46 <= bytes.length && (bytes.readUInt16LE(at + 40) & 0xf000) === LINK_MODE)
      yield { name: '', link: linkOf(bytes, bytes.readUInt32LE(at + 42)) }
}

const LISTED = Buffer.from('PK\u0001\u0002', 'latin1')
/** The kind of a file in the mode that archives of Unix give their entries. */
const LINK_MODE = 0xa000
const LONGEST_LINK = 512

/** The content of an entry that is a link: where it leads. */
function linkOf(bytes: Buffer, header: number): string {
  if (header + 30 > bytes.length) return ''
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
  const content = bytes.subarray(start, start + LONGEST_LINK)
  const isStored = bytes.readUInt16LE(header + 8) === 0
  const text = Buffer.from(isStored ? content : inflated(content)(LONGEST_LINK)).toString('latin1')
  // How long it is said to be, one program believes in one place and the next in another.
  const end = text.search(/PK[\u0001-\u0008]|[\0-\u001f]/)
  return end < 0 ? text : text.slice(0, end)
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

/** Where a tar header says what its entry is, and what it links to. */
const TAR_TYPE = 156
const TAR_LINK = 157

/** Names of entries and what links lead to, those that a header of their own holds too (pax, GNU). */
function* tarNames(bytes: Buffer): Generator<Named> {
  for (const at of tarHeaders(bytes)) {
    const type = String.fromCharCode(bytes[at + TAR_TYPE] ?? 0)
    const behind = (): string => textAt(bytes, at + TAR_HEADER, LONGEST_NAME)
    if (type === 'L') yield { name: behind() }
    else if (type === 'K') yield { name: '', link: behind() }
    else if (type === 'x' || type === 'g') yield* paxNames(bytes, at + TAR_HEADER)
    yield { name: textAt(bytes, at, TAR_NAME) }
    if (type === '1' || type === '2') yield { name: '', link: textAt(bytes, at + TAR_LINK, TAR_NAME) }
  }
}

/** A text that ends with a zero, or with the room that it has. */
function textAt(bytes: Buffer, start: number, room: number): string {
  const text = bytes.toString('latin1', start, start + room)
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

const PAX = /(?<![^\n])\d{1,6} (path|linkpath)=([^\n]{1,1024})/g

/** What an extended header says in place of the one behind it (POSIX.1-2017, pax). */
function* paxNames(bytes: Buffer, start: number): Generator<Named> {
  for (const [, key, value = ''] of textAt(bytes, start, LONGEST_NAME).matchAll(PAX))
    yield key === 'path' ? { name: value } : { name: '', link: value }
}

/** Where the content of each entry of a tar archive begins, to the end of the archive. */
export function* tarContents(bytes: Buffer): Generator<Buffer> {
  for (const at of tarHeaders(bytes)) yield bytes.subarray(at + TAR_HEADER)
}
