import { isUtf8 } from 'node:buffer'
import { SALT_BYTES } from '../record/record-format.ts'

/** A record to open, as the client sends it. */
export interface Opening {
  /** `encodeContext` of where the record lives. */
  readonly encoded: Uint8Array
  readonly epoch: number
  readonly salt: Uint8Array
}

/** A record to open, as a holder reads it: its place as text, and where its bytes lie in the batch. */
export interface OpenItem {
  readonly tenant: string
  readonly table: string
  readonly column: string
  readonly row: readonly string[]
  readonly epoch: number
  /** Where the encoded context begins. */
  readonly start: number
  /** Where the context ends and the salt begins. */
  readonly middle: number
  readonly end: number
}

/** The records of one request to open. */
export interface OpenBatch {
  readonly bytes: Buffer
  readonly items: readonly OpenItem[]
}

/** Epoch and length of the context. */
const HEAD_BYTES = 3
/** Longest name or key value in bytes, and most columns of a key: as `encodeContext` has them. */
const MAX_FIELD = 1_024
const MAX_KEY_COLUMNS = 16
/** 2^53 / 2^32: above it a version is not a safe integer. */
const MAX_VERSION_HIGH = 0x1f_ffff

/**
 * The records of a request as one text: for each its epoch (1 byte), the length of its context (2 bytes,
 * big-endian), the encoded context and the salt (16 bytes), all of it in base64url.
 *
 * A page as JSON objects cost a holder more than its keyed functions did; these bytes are hashed where they
 * lie.
 */
export function packOpenings(items: readonly Opening[]): string {
  let size = 0
  for (const { encoded } of items) size += HEAD_BYTES + encoded.length + SALT_BYTES
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const { encoded, epoch, salt } of items) {
    if (salt.length !== SALT_BYTES) throw new RangeError('a salt is 16 bytes long')
    at = bytes.writeUInt8(epoch, at)
    at = bytes.writeUInt16BE(encoded.length, at)
    bytes.set(encoded, at)
    bytes.set(salt, at + encoded.length)
    at += encoded.length + SALT_BYTES
  }
  return bytes.toString('base64url')
}

/**
 * Takes `packOpenings` apart, strictly: every context is as `encodeContext` makes it.
 * @param most items allowed
 * @returns undefined when it is anything else
 */
export function unpackOpenings(text: string, most: number): OpenBatch | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Characters that are not base64url are left out by the decoder.
  if (bytes.length === 0 || Math.ceil((bytes.length * 4) / 3) !== text.length) return undefined
  const items: OpenItem[] = []
  let last: OpenItem | undefined
  let prefix = 0
  for (let at = 0; at < bytes.length; ) {
    if (items.length === most || at + HEAD_BYTES > bytes.length) return undefined
    const start = at + HEAD_BYTES
    const middle = start + bytes.readUInt16BE(at + 1)
    const end = middle + SALT_BYTES
    if (end > bytes.length) return undefined
    const reader = new ContextReader(bytes, start, middle)
    // A page is mostly one column of one table. Fields are delimited by their lengths, so the same bytes are
    // the same three names.
    const isSame = last !== undefined && startsAlike(bytes, last.start, start, prefix, middle)
    const tenant = isSame ? last?.tenant : reader.text()
    const table = isSame ? last?.table : reader.text()
    const column = isSame ? last?.column : reader.text()
    if (isSame) reader.skip(prefix)
    prefix = reader.offset - start
    const row = reader.row()
    if (!tenant && tenant !== '') return undefined
    if (!table || !column || row === undefined || !reader.endsWithVersion()) return undefined
    last = { tenant, table, column, row, epoch: bytes[at] ?? 0, start, middle, end }
    items.push(last)
    at = end
  }
  return { bytes, items }
}

function startsAlike(bytes: Buffer, known: number, start: number, length: number, end: number): boolean {
  return start + length <= end && bytes.compare(bytes, known, known + length, start, start + length) === 0
}

/** Reads the fields of one encoded context. Anything malformed reads as undefined. */
class ContextReader {
  offset: number
  readonly #bytes: Buffer
  readonly #end: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.offset = start
    this.#end = end
  }

  skip(length: number): void {
    this.offset += length
  }

  text(): string | undefined {
    if (this.offset + 2 > this.#end) return undefined
    const length = this.#bytes.readUInt16BE(this.offset)
    const start = this.offset + 2
    const end = start + length
    if (length > MAX_FIELD || end > this.#end) return undefined
    this.offset = end
    const text = this.#bytes.toString('utf8', start, end)
    // Malformed bytes decode to U+FFFD, so that two places would be one text.
    return text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, end)) ? undefined : text
  }

  row(): readonly string[] | undefined {
    const count = this.offset < this.#end ? (this.#bytes[this.offset++] ?? 0) : 0
    if (count === 0 || count > MAX_KEY_COLUMNS) return undefined
    const row: string[] = []
    for (let index = 0; index < count; index++) {
      const part = this.text()
      if (!part) return undefined
      row.push(part)
    }
    return row
  }

  endsWithVersion(): boolean {
    return this.offset + 8 === this.#end && this.#bytes.readUInt32BE(this.offset) <= MAX_VERSION_HIGH
  }
}
