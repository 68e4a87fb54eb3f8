import { boundariesOf, dispositionParameters, multipartTexts, namesFile } from '@postern/core'
import { archiveEscape } from './archive-names.ts'
import type { Steps } from './steps.ts'
import { decodeBytes } from './text.ts'
import { scriptIn } from './upload.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

const MAX_PARTS = 1_000
const MAX_PART_HEADERS = 8_192
/** Readings of a content type: honest ones have one. */
const MAX_BOUNDARIES = 4
const LF = 10
const CR = 13
const HYPHEN = 45

/**
 * Walks the parts of a multipart body under every boundary that some parser may read in its content type.
 * @returns false where the body has no delimiter of such a boundary
 */
export function* visitParts(bytes: Buffer, contentType: string, visitor: ValueVisitor): Steps<boolean> {
  const boundaries = boundariesOf(contentType).filter(one => firstDelimiter(bytes, one, 0) >= 0)
  if (boundaries.length > MAX_BOUNDARIES)
    visitor.tooBig('bounds/parts', 'body', `more than ${MAX_BOUNDARIES} boundaries`)
  for (const boundary of boundaries.slice(0, MAX_BOUNDARIES)) yield* visitMultipart(bytes, boundary, visitor)
  return boundaries.length > 0
}

/**
 * Walks the parts of a multipart body (RFC 7578): field values as values, file names as file names; of a
 * file's content only whether a server would run it, and of an archive where it would be unpacked to. Line
 * ends may be CRLF or LF, and parts may follow the closing delimiter, as lenient servers allow. Linear.
 */
export function* visitMultipart(bytes: Buffer, boundary: string, visitor: ValueVisitor): Steps {
  let start = firstDelimiter(bytes, boundary, 0)
  for (let part = 0; start >= 0; part++) {
    if (part === MAX_PARTS) {
      visitor.tooBig('bounds/parts', 'body', `more than ${MAX_PARTS} parts`)
      return
    }
    const from = start + boundary.length + 2
    const next = firstDelimiter(bytes, boundary, from)
    const isEnd = bytes[from] === HYPHEN && bytes[from + 1] === HYPHEN
    const content = bytes.subarray(from, next < 0 ? bytes.length : next)
    if (!isEnd && !visitPart(content, boundary, visitor)) return
    if (visitor.isPaused) yield
    start = next
  }
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

/** Whether every parser takes the part with these headers for a file. Some do not unfold lines. */
export function isFileHead(headers: string): boolean {
  const dispositions = dispositionsIn(headers.split(/\r?\n/))
  return dispositions.length > 0 && dispositions.every(namesFile)
}

function linesOf(headers: string): readonly string[] {
  return headers.replace(/\r?\n[ \t]{1,64}/g, ' ').split(/\r?\n/)
}

function dispositionsIn(lines: readonly string[]): readonly (readonly (readonly [string, string])[])[] {
  return lines.filter(line => DISPOSITION.test(line)).map(dispositionParameters)
}

const DISPOSITION = /^\s{0,64}content-disposition\b/i
const QUOTED_PRINTABLE = /^\s{0,64}content-transfer-encoding\s{0,8}:\s{0,8}quoted-printable/i

function visitPart(part: Buffer, boundary: string, visitor: ValueVisitor): boolean {
  const head = partHead(part)
  const headerEnd = head?.length ?? part.length
  if (headerEnd > MAX_PART_HEADERS) {
    visitor.tooBig('bounds/part-header', 'body', `a part header longer than ${MAX_PART_HEADERS} bytes`)
    return false
  }
  const headers = decodeBytes(part.subarray(0, headerEnd))
  const lines = linesOf(headers)
  let contentEnd = part.length
  if (part[contentEnd - 1] === LF) contentEnd--
  if (part[contentEnd - 1] === CR) contentEnd--
  const content = part.subarray(Math.min(headerEnd, contentEnd), contentEnd)
  const parameters = dispositionsIn(lines).flat()
  const names = parameters.filter(([name]) => /^name\b/.test(name)).map(([, value]) => value)
  const location = `body.${(names[0] ?? '').slice(0, 64)}`
  for (const name of names.length === 0 ? [''] : names)
    if (!visitor.value(name, 'name', at(`${location}#name`))) return false
  for (const line of lines)
    if (line !== '' && !DISPOSITION.test(line) && !visitor.value(line, 'header', at(`${location}#header`)))
      return false
  if (!isFileHead(headers) && !visitField(content, lines, location, visitor)) return false
  const fileNames = parameters.filter(([name]) => /^filename\b/.test(name)).map(([, value]) => value)
  return fileNames.every(fileName => visitFile(content, fileName, location, boundary, visitor))
}

function visitField(
  content: Buffer,
  lines: readonly string[],
  location: string,
  visitor: ValueVisitor,
): boolean {
  const text = decodeBytes(content)
  if (!visitor.value(text, 'form', at(location))) return false
  return (
    !lines.some(line => QUOTED_PRINTABLE.test(line)) || visitor.value(unquoted(text), 'form', at(location))
  )
}

/** Undoes quoted-printable (RFC 2045 section 6.7). */
function unquoted(text: string): string {
  return text
    .replace(/=[ \t]{0,64}\r?\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function visitFile(
  content: Buffer,
  fileName: string,
  location: string,
  boundary: string,
  visitor: ValueVisitor,
): boolean {
  if (!visitor.value(fileName, 'file-name', at(`${location}#filename`))) return false
  const entry = archiveEscape(content)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  const script = scriptIn(content, fileName)
  if (script !== undefined && !visitor.value(script, 'form', at(`${location}#content`))) return false
  // Something like a delimiter: a parser that takes it for one finds parts here.
  if (!content.includes(`--${boundary}`)) return true
  return multipartTexts(content.toString('latin1'), 'fields').every(([name, value]) =>
    visitor.value(value, 'form', at(`body.${name.slice(0, 64)}`)),
  )
}
