import { PART, type Pausing } from './in-parts.ts'
import { decodeUrl } from './url.ts'

/** Characters in which no file has a document that opens anything. */
const SHORTEST = 48
/** Characters of a value that are read as base64. */
const LONGEST = 4_194_304
/** Characters of a value in which its base64 begins, and of that in which all are of an alphabet. */
const BEFORE = 512
const BEHIND = 256
/** The mark of a data URL, with whatever parameters, and of what programs make up after it. */
const MARK = /^[^<>{}[\]\n]{0,400}?;\s{0,4}base64\s{0,4},/i
/** Where base64 begins: a name or a label may stand before it. */
const CODE = /(?<![^\s:,;|=])(?:[A-Za-z0-9+/_-]\s{0,4}){40}/
const OTHER = /[^A-Za-z0-9+/_=\s-]/
/** What no value of base64 has before or among it. */
const STRUCTURED = /[<>{}]/
const OTHERS = /[^A-Za-z0-9+/_=-]/g
const FOREIGN = /[^A-Za-z0-9+/_-]+/g

/**
 * How the base64 of a ZIP archive, of gzip, and of documents in wide encodings or EBCDIC begins, behind a
 * mark or not, and how the last record of an archive is written, wherever it begins: reading these as text
 * finds nothing. Documents with or without white space before them.
 */
const BEYOND_TEXT =
  /(?:^|[:,;|])\s{0,8}(?:UEsD|H4sI|[/_]{2}4|[/_]v8A|PA[AB]|C[gQ]A|IAA|DQA|ADwA|AA[0ko]A|ACAA|AAAAP|TG[+-]nl)|UEsFBg|BLBQY|QSwUG/

/** Whether a text may be the base64 of a file that is read as such only, as far as its letters say. */
export function mayBeCodedFile(text: string): boolean {
  return text.length >= SHORTEST && (BEYOND_TEXT.test(text) || BEYOND_TEXT.test(text.replace(/[.\s]+/g, '')))
}

/** Of so many characters one may be of no alphabet: most decoders pass over it. */
const SPARSE = 8

function isSparse(before: string): boolean {
  return (before.match(OTHERS)?.length ?? 0) * SPARSE <= before.length
}

/** Where base64 that may be a file begins in a value: at its start, or behind what names it; -1: nowhere. */
function startOfCode(text: string): number {
  const before = text.slice(0, BEFORE)
  const mark = before.includes(',') ? MARK.exec(before) : null
  if (mark !== null) return mark[0].length
  const start = CODE.exec(before)?.index ?? -1
  if (start >= 0 && !OTHER.test(text.slice(start, start + BEHIND))) return start
  return isSparse(before) ? 0 : -1
}

/**
 * The base64 of a file that a value may hold, as most decoders get it, which pass over what their alphabet
 * lacks: none where it holds none, and two where they differ, as a form turned the alphabet's `+` into a
 * space.
 */
function codesIn(value: string): readonly Code[] {
  if (value.length < SHORTEST || STRUCTURED.test(value.slice(0, BEFORE))) return []
  const isEncoded = value.slice(0, BEFORE).includes('%')
  if (isEncoded && startOfCode(decodeUrl(value.slice(0, BEFORE), false)) < 0) return []
  const text = isEncoded ? decodeUrl(value.slice(0, LONGEST), false) : value
  const start = startOfCode(text)
  if (start < 0) return []
  const coded = text.slice(start, start + LONGEST)
  return coded.includes(' ') ? [{ coded }, { coded, space: '+' }] : [{ coded }]
}

interface Code {
  readonly coded: string
  /** What a space stands for. Default: nothing. */
  readonly space?: string
}

/** The bytes of a file that a value may hold in base64 or base64url (RFC 4648). */
export function codedFiles(value: string): readonly Buffer[] {
  return codesIn(value).map(({ coded, space }) =>
    Buffer.from(space === undefined ? coded : coded.replaceAll(' ', space), 'base64'),
  )
}

/** As `codedFiles`, of a long value: the files one by one, or undefined where a walk may pause. */
export function* longCodedFiles(value: string, driver: Pausing): Generator<Buffer | undefined> {
  for (const { coded, space } of codesIn(value)) {
    // As the decoder of Node.js does, which ends at the first sign of padding.
    const padding = coded.indexOf('=')
    const end = padding < 0 ? coded.length : padding
    const bytes = Buffer.allocUnsafe(Math.ceil(end / 4) * 3)
    let length = 0
    let rest = ''
    for (let at = 0; at < end; at += PART) {
      const part = coded.slice(at, Math.min(at + PART, end))
      const digits = rest + (space === undefined ? part : part.replaceAll(' ', space)).replace(FOREIGN, '')
      const whole = digits.length - (digits.length % 4)
      length += bytes.write(digits.slice(0, whole), length, 'base64')
      rest = digits.slice(whole)
      driver.work(part.length >> 4)
      yield undefined
    }
    length += bytes.write(rest, length, 'base64')
    yield bytes.subarray(0, length)
  }
}
