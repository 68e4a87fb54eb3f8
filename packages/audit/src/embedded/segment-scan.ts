import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import type { FileLayer } from '../files/file-layer.ts'
import {
  claimedGroupLength,
  GROUP_HEADER_BYTES,
  type Group,
  hasLaterGroup,
  parseSegmentName,
  readGroup,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type WalRecord,
} from './segment.ts'

/** First indexes of the segments in a directory, in order. */
export function segmentsIn(files: FileLayer, directory: string): readonly number[] {
  return files
    .list(directory)
    .map(parseSegmentName)
    .filter(first => first !== undefined)
}

/**
 * Reads segments group by group, in order, from a given record on. Keeps its position
 * between calls, so it can follow a live log.
 */
export class SegmentScan {
  readonly #files: FileLayer
  readonly #directory: string
  #segment: number | undefined = undefined
  #salt: Uint8Array | undefined = undefined
  #offset = SEGMENT_HEADER_BYTES
  #next: number
  #reached = -1

  /** @param from index of the first record wanted */
  constructor(files: FileLayer, directory: string, from: number) {
    this.#files = files
    this.#directory = directory
    this.#next = from
  }

  /** Index of the first record not yet returned. */
  get next(): number {
    return this.#next
  }

  /**
   * The next records, at most one group; undefined when there is none (yet).
   * @param end records from here on are left for later: they may not be durable
   * @throws IntegrityError when a segment is missing, or durable bytes were changed
   */
  read(end: number = Number.POSITIVE_INFINITY): readonly WalRecord[] | undefined {
    for (;;) {
      if (this.#next >= end || !this.#findSegment()) return undefined
      const group = this.#readGroup()
      if (group === undefined) {
        if (!this.#advance()) return undefined
        continue
      }
      if (group.firstIndex + group.count > end && group.firstIndex >= this.#next) return undefined
      this.#offset += group.length
      this.#reached = Math.max(this.#reached, group.firstIndex + group.count)
      if (group.firstIndex + group.count <= this.#next) continue
      if (group.firstIndex > this.#next) this.#missing()
      const records = group.records.filter(record => record.index >= this.#next)
      this.#next = group.firstIndex + group.count
      return records
    }
  }

  /** Chooses the segment that holds `next`, when none is open. */
  #findSegment(): boolean {
    if (this.#segment === undefined) {
      const segments = segmentsIn(this.#files, this.#directory)
      const first = segments.findLast(start => start <= this.#next)
      if (first === undefined) {
        if (segments.length > 0) this.#missing()
        return false
      }
      this.#open(first)
    }
    if (this.#salt !== undefined || this.#segment === undefined) return true
    this.#open(this.#segment)
    return this.#salt !== undefined || this.#advance()
  }

  #open(first: number): void {
    this.#segment = first
    this.#reached = Math.max(this.#reached, first)
    this.#offset = SEGMENT_HEADER_BYTES
    const header = this.#files.read(this.#path(first), 0, SEGMENT_HEADER_BYTES)
    this.#salt = header === undefined ? undefined : readSegmentHeader(header, first)
  }

  #path(first: number): string {
    return join(this.#directory, segmentName(first))
  }

  #readGroup(): Group | undefined {
    const path = this.#path(this.#segment ?? 0)
    const head = this.#files.read(path, this.#offset, 64 * 1_024)
    const length = head === undefined ? undefined : claimedGroupLength(head)
    if (head === undefined || length === undefined || this.#salt === undefined) return undefined
    const bytes = length <= head.length ? head : this.#files.read(path, this.#offset, length)
    return bytes === undefined ? undefined : readGroup(bytes, this.#salt)
  }

  /**
   * Moves on to the segment that starts where this one ended, if there is one, past those whose writer could
   * not write the header: they hold nothing.
   */
  #advance(): boolean {
    const segments = segmentsIn(this.#files, this.#directory)
    for (const next of segments.filter(first => first > (this.#segment ?? 0))) {
      if (next > this.#next) this.#missing()
      this.#open(next)
      if (this.#salt !== undefined) return true
    }
    return false
  }

  /**
   * For recovery, once `read` found no more: checks that a torn tail stopped it, and not damage.
   * @throws IntegrityError when sound groups lie behind an unsound one
   */
  requireTornTail(): void {
    if (this.#segment === undefined || this.#salt === undefined) return
    const rest = this.#files.read(this.#path(this.#segment), this.#offset)
    if (rest !== undefined && hasLaterGroup(rest.subarray(GROUP_HEADER_BYTES), this.#salt)) {
      throw new IntegrityError(
        `${segmentName(this.#segment)} is damaged at byte ${this.#offset}: durable entries follow that cannot be read in order`,
      )
    }
  }

  /** Index after the last record seen, requested or not; -1 when there is no segment. */
  get reached(): number {
    return this.#reached
  }

  /** For recovery: the last segment read and where its valid part ends, where the writer continues. */
  get end(): { readonly segment: number; readonly salt: Uint8Array; readonly offset: number } | undefined {
    if (this.#segment === undefined || this.#salt === undefined) return undefined
    return { segment: this.#segment, salt: this.#salt, offset: this.#offset }
  }

  #missing(): never {
    throw new IntegrityError(`${this.#directory}: the segment with entry ${this.#next} is missing`)
  }
}
