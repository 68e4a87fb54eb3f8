import { archiveEscape } from './archive-names.ts'
import type { Steps } from './steps.ts'
import { decodeBytes } from './text.ts'
import { scriptIn } from './upload.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

const MAX_PARTS = 1_000
const MAX_PART_HEADERS = 8_192

/** The boundary of a multipart content type (RFC 2046 section 5.1.1), or undefined. */
export function boundaryOf(contentType: string): string | undefined {
  const found = /boundary\s{0,8}=\s{0,8}(?:"([^"]{1,200})"|([^\s;,]{1,200}))/i.exec(contentType)
  return found?.[1] ?? found?.[2]
}

/**
 * Walks the parts of a multipart body (RFC 7578): field values as values, file names as file names; of a
 * file's content only whether a server would run it, and of an archive where it would be unpacked to. Line
 * ends may be CRLF or LF, as lenient servers allow. Linear.
 */
export function* visitMultipart(bytes: Buffer, boundary: string, visitor: ValueVisitor): Steps {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let start = bytes.indexOf(delimiter)
  for (let part = 0; start >= 0; part++) {
    if (part === MAX_PARTS) {
      visitor.tooBig('bounds/parts', 'body', `more than ${MAX_PARTS} parts`)
      return
    }
    const from = start + delimiter.length
    const next = bytes.indexOf(delimiter, from)
    if (bytes[from] === 45 && bytes[from + 1] === 45) return
    if (!visitPart(bytes.subarray(from, next < 0 ? bytes.length : next), visitor)) return
    if (visitor.isPaused) yield
    start = next
  }
}

function visitPart(part: Buffer, visitor: ValueVisitor): boolean {
  const crlf = part.indexOf('\r\n\r\n')
  const lf = part.indexOf('\n\n')
  const end = crlf >= 0 && (lf < 0 || crlf < lf) ? crlf : lf
  const headerEnd = end < 0 ? part.length : end
  if (headerEnd > MAX_PART_HEADERS) {
    visitor.tooBig('bounds/part-header', 'body', `a part header longer than ${MAX_PART_HEADERS} bytes`)
    return false
  }
  const headers = decodeBytes(part.subarray(0, headerEnd))
  let contentStart = end < 0 ? part.length : end + (end === crlf ? 4 : 2)
  let contentEnd = part.length
  if (part[contentEnd - 1] === 10) contentEnd--
  if (part[contentEnd - 1] === 13) contentEnd--
  contentStart = Math.min(contentStart, contentEnd)
  const content = part.subarray(contentStart, contentEnd)
  const name = parameter(headers, 'name') ?? ''
  const fileName = parameter(headers, 'filename')
  const location = `body.${name.slice(0, 64)}`
  if (!visitor.value(name, 'name', at(`${location}#name`))) return false
  for (const line of headers.split(/\r?\n/)) {
    if (
      line !== '' &&
      !/^content-disposition/i.test(line) &&
      !visitor.value(line, 'header', at(`${location}#header`))
    )
      return false
  }
  if (fileName === undefined) {
    const text = decodeBytes(content)
    return visitor.value(text, 'form', at(location))
  }
  if (!visitor.value(fileName, 'file-name', at(`${location}#filename`))) return false
  const entry = archiveEscape(content)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at(`${location}#entry`))) return false
  const script = scriptIn(content, fileName)
  return script === undefined || visitor.value(script, 'form', at(`${location}#content`))
}

/** A parameter of `Content-Disposition`, quoted, bare or in the extended form of RFC 5987. */
function parameter(headers: string, name: string): string | undefined {
  const found = new RegExp(
    `[;\\s]${name}\\*?\\s{0,8}=\\s{0,8}(?:"((?:[^"\\\\]|\\\\.){0,1024})"?|([^;\\r\\n]{0,1024}))`,
    'i',
  ).exec(headers)
  return found === null ? undefined : (found[1] ?? found[2] ?? '')
}
