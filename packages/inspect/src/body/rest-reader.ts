import { boundariesOf } from '@postern/core'
import { decodeBytes, isBinary } from '../canonicalise/text.ts'
import { finishSteps, type Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { visitForm } from './form.ts'
import { visitJson } from './json.ts'
import { leadingValues } from './leading-values.ts'
import {
  firstDelimiter,
  hasOneBoundary,
  isFileHead,
  lastDelimiter,
  namesParts,
  partHead,
  visitMultipart,
} from './multipart.ts'
import { beginsArchive, PassingArchive } from './passing-archive.ts'
import { isFormType, isJsonBody, mayBeginDocument } from './visit-body.ts'

/** Reads the rest of a body piece by piece, behind a start that was read as a whole. */
export interface RestReader {
  /**
   * Visits the values of a piece: those that end in it, and what has arrived of the one that goes on, so that
   * an attack is seen with its last byte. The next piece is for when this one was visited to its end.
   */
  visit(piece: Buffer, visitor: ValueVisitor): Steps
}

/** What is kept of a value that is longer, so that what lies across two pieces is read whole. */
const OVERLAP = 1_536
/** Longer unfinished values are cut to the overlap. */
const LONGEST_KEPT = 3_072
/** Headers of a part. */
const MAX_PART_HEADERS = 8_192

/**
 * The reader for what follows a start; undefined where there is nothing to read: bytes that are neither text
 * nor an archive.
 * @param start the bytes that were read as a whole
 */
export function restReader(start: Buffer, contentType: string, depth: number): RestReader | undefined {
  const boundaries = namesParts(contentType) ? boundariesOf(contentType) : []
  const [boundary] = boundaries.filter(one => firstDelimiter(start, one, 0) >= 0)
  // Read with another boundary, or with none, what is a file to one parser holds the fields of another.
  if (boundary !== undefined)
    return hasOneBoundary(contentType) ? new MultipartRest(start, boundary) : new TextRest(start)
  const isForm = isFormType(contentType)
  if (!isForm && start.length > 0 && beginsArchive(start)) return new ArchiveRest(start)
  if (!isForm && isBinary(start, contentType)) return documentRest(start, contentType, depth)
  if (isJsonBody(decodeBytes(start.subarray(0, 512)), contentType)) return new JsonRest(start, depth)
  return isForm ? new FormRest(start) : new TextRest(start)
}

/** Longest JSON before a file in one message: what goes on behind that many bytes is a document. */
const LONGEST_HEAD = 65_536

/** The reader for what follows bytes that are not text, where they begin a document that goes on. */
function documentRest(start: Buffer, contentType: string, depth: number): RestReader | undefined {
  if (!mayBeginDocument(start)) return undefined
  if (!isJsonBody(decodeBytes(start.subarray(0, 512)), contentType)) return new TextRest(start)
  const text = decodeBytes(start.subarray(0, LONGEST_HEAD))
  const { length } = finishSteps(leadingValues(text, { isPaused: false, work: () => {} }))
  return length === text.length ? new JsonRest(start, depth) : undefined
}

/** Text of bytes that come in pieces: a character may lie across two. */
class PieceDecoder {
  readonly #decoder = new TextDecoder('utf-8')

  text(piece: Uint8Array): string {
    return this.#decoder.decode(piece, { stream: true })
  }
}

/** The strings of a JSON text; a string that goes on is kept with its name. */
class JsonRest implements RestReader {
  readonly #decoder = new PieceDecoder()
  readonly #depth: number
  #kept: string

  constructor(start: Buffer, depth: number) {
    this.#depth = depth
    this.#kept = unfinishedJson(this.#decoder.text(start))
  }

  *visit(piece: Buffer, visitor: ValueVisitor): Steps {
    const text = this.#kept + this.#decoder.text(piece)
    // As members of one object: what they stand in has gone by.
    this.#kept = unfinishedJson(text)
    yield* visitJson(`{${text}`, 'body', this.#depth, visitor)
  }
}

/**
 * The end of a JSON text from the string on that is not closed, or that is the name of a value which has yet
 * to come. A long string is cut inside, behind its name.
 */
function unfinishedJson(text: string): string {
  let name = -1
  let nameEnd = -1
  let open = text.indexOf('"')
  while (open >= 0) {
    const close = closingQuote(text, open + 1)
    const from =
      name >= 0 && /^\s{0,64}:\s{0,64}$/.test(text.slice(nameEnd, Math.min(open, nameEnd + 130)))
        ? name
        : open
    if (close < 0) {
      const head = text.slice(from, open + 1)
      const rest = text.slice(open + 1)
      return rest.length <= LONGEST_KEPT ? head + rest : head.slice(-OVERLAP) + rest.slice(-OVERLAP)
    }
    name = open
    nameEnd = close + 1
    open = text.indexOf('"', nameEnd)
  }
  const behind = text.slice(Math.max(0, nameEnd), Math.max(0, nameEnd) + 130)
  return name >= 0 && nameEnd - name <= LONGEST_KEPT && /^\s{0,64}:?\s{0,64}$/.test(behind)
    ? text.slice(name)
    : ''
}

function closingQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (end - 1 - slashes >= from && text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end
  }
  return -1
}

/** The pairs of a form. */
class FormRest implements RestReader {
  readonly #decoder = new PieceDecoder()
  #kept: string

  constructor(start: Buffer) {
    this.#kept = unfinishedPair(this.#decoder.text(start))
  }

  *visit(piece: Buffer, visitor: ValueVisitor): Steps {
    const text = this.#kept + this.#decoder.text(piece)
    this.#kept = unfinishedPair(text)
    yield* visitForm(text, 'body', 'form', visitor)
  }
}

function unfinishedPair(text: string): string {
  const pair = text.slice(text.lastIndexOf('&') + 1)
  if (pair.length <= LONGEST_KEPT) return pair
  const equals = pair.indexOf('=')
  return (equals >= 0 && equals < OVERLAP ? pair.slice(0, equals + 1) : '') + pair.slice(-OVERLAP)
}

/** Text as such: each piece with the end of the one before. */
class TextRest implements RestReader {
  readonly #decoder = new PieceDecoder()
  #kept: string

  constructor(start: Buffer) {
    this.#kept = this.#decoder.text(start).slice(-OVERLAP)
  }

  *visit(piece: Buffer, visitor: ValueVisitor): Steps {
    const text = this.#kept + this.#decoder.text(piece)
    this.#kept = text.slice(-OVERLAP)
    visitor.value(text, 'body', at('body'))
    if (visitor.isPaused) yield
  }
}

/** An archive as such: its entries. */
class ArchiveRest implements RestReader {
  readonly #archive: PassingArchive

  constructor(start: Buffer) {
    this.#archive = new PassingArchive(start)
  }

  *visit(piece: Buffer, visitor: ValueVisitor): Steps {
    yield* this.#archive.visit(piece, false, 'body', visitor)
  }
}

/** The fields of a multipart body, and the entries of archives; other files are passed over. */
class MultipartRest implements RestReader {
  readonly #boundary: string
  /** Bytes of a delimiter and of the line end before it. */
  readonly #reach: number
  #isInFile = false
  /** That file, if it is one. */
  #archive: PassingArchive | undefined
  #kept: Buffer = Buffer.alloc(0)

  constructor(start: Buffer, boundary: string) {
    this.#boundary = boundary
    this.#reach = boundary.length + 4
    this.#keep(start)
  }

  *visit(piece: Buffer, visitor: ValueVisitor): Steps {
    let bytes = Buffer.concat([this.#kept, piece])
    if (this.#isInFile) {
      const end = firstDelimiter(bytes, this.#boundary, 0)
      const ofFile = end < 0 ? piece : piece.subarray(0, Math.max(0, end - this.#kept.length))
      const isRead = this.#archive?.visit(ofFile, end >= 0, 'body#content', visitor)
      if (isRead !== undefined && !(yield* isRead)) return
      if (end < 0) {
        this.#kept = Buffer.from(bytes.subarray(-this.#reach))
        return
      }
      bytes = bytes.subarray(end)
    }
    this.#keep(bytes)
    yield* visitMultipart(bytes, this.#boundary, visitor)
  }

  /** Keeps the part that goes on: of a file what may be the start of a delimiter, of a field all of it. */
  #keep(bytes: Buffer): void {
    const last = lastDelimiter(bytes, this.#boundary)
    const part = last < 0 ? bytes.subarray(-this.#reach) : bytes.subarray(last)
    const head = partHead(part)
    this.#isInFile = head !== undefined && isFileHead(head.toString('latin1'))
    const file = this.#isInFile ? part.subarray(head?.length) : undefined
    this.#archive = file !== undefined && beginsArchive(file) ? new PassingArchive(file) : undefined
    if (this.#isInFile) this.#kept = Buffer.from(part.subarray(-this.#reach))
    else if (head === undefined || part.length - head.length <= LONGEST_KEPT)
      this.#kept = Buffer.from(part.subarray(0, LONGEST_KEPT + MAX_PART_HEADERS))
    else this.#kept = Buffer.concat([head, part.subarray(-OVERLAP)])
  }
}
