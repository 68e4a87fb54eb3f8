import { crc32 } from 'node:zlib'
import { IntegrityError } from '@postern/core'

/*
 * A segment is a header and then groups, in a file that may have been another segment before.
 *   header  "PSTNWAL1" | u64 first index | 8 random bytes | u32 crc of the 24 before | u32 0
 *   group   "GRP1" | u32 body length | u64 first index | u32 count | 12 random bytes | u32 crc | body
 *   body    per record: u32 length | u8 kind | UTF-8 text
 * All numbers are big-endian. A group's crc covers its header before the crc, the segment's random bytes, and
 * its body: a group left over from an older or copied segment is never accepted as part of this one.
 */

export const SEGMENT_HEADER_BYTES = 32
export const GROUP_HEADER_BYTES = 36
export const RECORD_HEADER_BYTES = 5
const SEGMENT_MAGIC = Buffer.from('PSTNWAL1')
const GROUP_MAGIC = Buffer.from('GRP1')

/** What a record requests: to log an event, or to erase a subject (and to log the erasure). */
export type RecordKind = 'event' | 'erasure'

const KINDS: readonly RecordKind[] = ['event', 'erasure']

/** The number of a kind in the file. */
export function kindByte(kind: RecordKind): number {
  return KINDS.indexOf(kind)
}

/** One durable record that is not in the tree yet. */
export interface WalRecord {
  readonly index: number
  readonly kind: RecordKind
  /** Event as JSON, or the id of the subject's key. */
  readonly text: string
  /** Random bytes of the record's group: with the index they make a nonce that is never used twice. */
  readonly salt: Uint8Array
}

export function segmentName(firstIndex: number): string {
  return `${String(firstIndex).padStart(16, '0')}.wal`
}

/** First index of the segment that has this file name, or undefined for other files. */
export function parseSegmentName(name: string): number | undefined {
  return /^\d{16}\.wal$/.test(name) ? Number(name.slice(0, 16)) : undefined
}

/** @param salt 8 random bytes */
export function segmentHeader(firstIndex: number, salt: Uint8Array): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
  SEGMENT_MAGIC.copy(header)
  header.writeBigUInt64BE(BigInt(firstIndex), 8)
  header.set(salt, 16)
  header.writeUInt32BE(crc32(header.subarray(0, 24)), 24)
  return header
}

/**
 * The salt of a segment, or undefined when nothing was written into it yet: the write was torn, or the file
 * still has the header of the segment it was before.
 */
export function readSegmentHeader(bytes: Uint8Array, firstIndex: number): Uint8Array | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES)
  if (!header.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined
  if (header.readUInt32BE(24) !== crc32(header.subarray(0, 24))) return undefined
  return header.readBigUInt64BE(8) === BigInt(firstIndex) ? header.subarray(16, 24) : undefined
}

/** Fills in the header of a group whose body stands right behind it in `group`. */
export function sealGroup(
  group: Buffer,
  firstIndex: number,
  count: number,
  salt: Uint8Array,
  segmentSalt: Uint8Array,
): void {
  GROUP_MAGIC.copy(group)
  group.writeUInt32BE(group.length - GROUP_HEADER_BYTES, 4)
  group.writeBigUInt64BE(BigInt(firstIndex), 8)
  group.writeUInt32BE(count, 16)
  group.set(salt, 20)
  group.writeUInt32BE(groupCrc(group, segmentSalt), 32)
}

function groupCrc(group: Uint8Array, segmentSalt: Uint8Array): number {
  return crc32(group.subarray(GROUP_HEADER_BYTES), crc32(segmentSalt, crc32(group.subarray(0, 32))))
}

export interface Group {
  readonly firstIndex: number
  readonly count: number
  /** Length in the file. */
  readonly length: number
  readonly records: readonly WalRecord[]
}

/** The group at the start of `bytes`; undefined when there is no complete and valid one. */
export function readGroup(bytes: Uint8Array, segmentSalt: Uint8Array): Group | undefined {
  if (bytes.length < GROUP_HEADER_BYTES) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!view.subarray(0, 4).equals(GROUP_MAGIC)) return undefined
  const length = GROUP_HEADER_BYTES + view.readUInt32BE(4)
  if (length > view.length) return undefined
  const group = view.subarray(0, length)
  if (group.readUInt32BE(32) !== groupCrc(group, segmentSalt)) return undefined
  const firstIndex = Number(group.readBigUInt64BE(8))
  const records = readRecords(group, firstIndex)
  return { firstIndex, count: records.length, length, records }
}

/**
 * The length that a group header at the start of `bytes` states, if there is one:
 * how much must be read to check the group.
 */
export function claimedGroupLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < GROUP_HEADER_BYTES) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return view.subarray(0, 4).equals(GROUP_MAGIC) ? GROUP_HEADER_BYTES + view.readUInt32BE(4) : undefined
}

function readRecords(group: Buffer, firstIndex: number): WalRecord[] {
  const salt = Uint8Array.from(group.subarray(20, 32))
  const records: WalRecord[] = []
  let offset = GROUP_HEADER_BYTES
  while (offset < group.length) {
    const end = offset + RECORD_HEADER_BYTES + group.readUInt32BE(offset)
    const kind = KINDS[group[offset + 4] ?? 255]
    if (kind === undefined || end > group.length)
      throw new IntegrityError(`segment has a malformed record ${firstIndex + records.length}`)
    const text = group.toString('utf8', offset + RECORD_HEADER_BYTES, end)
    records.push({ index: firstIndex + records.length, kind, text, salt })
    offset = end
  }
  if (records.length !== group.readUInt32BE(16))
    throw new IntegrityError(`segment has a malformed group at entry ${firstIndex}`)
  return records
}

/** How often the bytes behind a torn group may be read in all; those of older groups are read once. */
const MOST_PASSES = 16

/**
 * Whether a valid group of this segment begins anywhere in `bytes`. A group is written only once the previous
 * one is durable: a valid group after a torn one means that durable bytes were changed. So do headers whose
 * groups overlap, which no writer leaves: to check all of them could take as long as their number times the
 * length of the file.
 */
export function hasLaterGroup(bytes: Uint8Array, segmentSalt: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let left = MOST_PASSES * view.length
  for (let at = view.indexOf(GROUP_MAGIC); at >= 0; at = view.indexOf(GROUP_MAGIC, at + 1)) {
    const rest = view.subarray(at)
    const length = claimedGroupLength(rest)
    if (length === undefined || length > rest.length) continue
    left -= length
    if (left < 0 || readGroup(rest, segmentSalt) !== undefined) return true
  }
  return false
}
