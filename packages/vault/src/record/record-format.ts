import { IntegrityError } from '@postern/core'

/** First byte of every record. Never the first byte of UTF-8 text, so text is never taken for a record. */
export const MAGIC: number = 0xb7
export const FORMAT_VERSION = 1
export const SALT_BYTES: number = 16
export const COMMITMENT_BYTES = 16
export const TAG_BYTES = 16
/** Magic, version, suite, epoch, salt, commitment. */
export const HEADER_BYTES: number = 4 + SALT_BYTES + COMMITMENT_BYTES
/** What sealing adds to a value. */
export const RECORD_OVERHEAD: number = HEADER_BYTES + TAG_BYTES
/** Largest value sealed as one record; larger ones are streamed (`sealFile`). */
export const MAX_PLAINTEXT: number = 16 * 1_024 * 1_024

/** Who holds the key of a record: this machine, the holders together, or the members of a space. */
export type Mode = 'local' | 'split' | 'held'

const SUITE: Readonly<Record<Mode, number>> = { local: 1, split: 2, held: 3 }
const MODES: readonly (Mode | undefined)[] = [undefined, 'local', 'split', 'held']

/**
 * Number of a mode in the header. All three use AES-256-GCM; they differ in where the record key comes from.
 */
export function suiteOf(mode: Mode): number {
  return SUITE[mode]
}

/** Where the commitment begins in a record. */
export const COMMITMENT_START: number = 4 + SALT_BYTES

/**
 * A record taken apart. Its parts are views of the bytes given, made when they are asked for: five views of
 * each of fifty records were a seventh of what reading a page left to collect.
 */
export class ParsedRecord {
  readonly mode: Mode
  readonly epoch: number
  readonly bytes: Uint8Array

  /** @param bytes a whole record: see `parseRecord` */
  constructor(mode: Mode, bytes: Uint8Array) {
    this.mode = mode
    this.epoch = bytes[3] ?? 0
    this.bytes = bytes
  }

  /** 16 bytes, unique to this version of this value. */
  get salt(): Uint8Array {
    return this.bytes.subarray(4, COMMITMENT_START)
  }

  /** The 36 bytes before the ciphertext, authenticated as they stand. */
  get header(): Uint8Array {
    return this.bytes.subarray(0, HEADER_BYTES)
  }

  get commitment(): Uint8Array {
    return this.bytes.subarray(COMMITMENT_START, HEADER_BYTES)
  }

  get ciphertext(): Uint8Array {
    return this.bytes.subarray(HEADER_BYTES, this.bytes.length - TAG_BYTES)
  }

  get tag(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - TAG_BYTES)
  }
}

/** Whether a value claims to be a record; says nothing of whether it opens. */
export function looksSealed(bytes: Uint8Array): boolean {
  return bytes.length >= RECORD_OVERHEAD && bytes[0] === MAGIC && bytes[1] === FORMAT_VERSION
}

/**
 * Takes record format v1 apart, strictly.
 * @throws IntegrityError when anything but the content of salt, commitment,
 *   ciphertext and tag is not as specified
 */
export function parseRecord(bytes: Uint8Array): ParsedRecord {
  if (bytes.length < RECORD_OVERHEAD)
    throw malformed(`is ${bytes.length} bytes long, a record has at least ${RECORD_OVERHEAD}`)
  if (bytes[0] !== MAGIC) throw malformed('does not begin as a record')
  if (bytes[1] !== FORMAT_VERSION)
    throw malformed(`has format version ${bytes[1]}; this release reads version ${FORMAT_VERSION}`)
  const mode = MODES[bytes[2] ?? 0]
  if (mode === undefined) throw malformed(`has the unknown suite ${bytes[2]}`)
  if (bytes.length > MAX_PLAINTEXT + RECORD_OVERHEAD)
    throw malformed(`is longer than ${MAX_PLAINTEXT + RECORD_OVERHEAD} bytes`)
  return new ParsedRecord(mode, bytes)
}

function malformed(problem: string): IntegrityError {
  return new IntegrityError(`vault record: the stored value ${problem}`)
}
