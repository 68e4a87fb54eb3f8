import { join } from 'node:path'
import { IntegrityError, type RandomSource, type Receipt, StoreError } from '@postern/core'
import { syncError, writeError } from '../files/file-error.ts'
import type { DurableFile, FileLayer } from '../files/file-layer.ts'
import {
  GROUP_HEADER_BYTES,
  kindByte,
  RECORD_HEADER_BYTES,
  type RecordKind,
  SEGMENT_HEADER_BYTES,
  sealGroup,
  segmentHeader,
  segmentName,
} from './segment.ts'
import { SegmentScan, segmentsIn } from './segment-scan.ts'
import { SpareSegments } from './spare-segments.ts'

export interface WriteAheadLogOptions {
  readonly files: FileLayer
  readonly directory: string
  readonly random: RandomSource
  /** Index of the first record that is not in the published tree. */
  readonly from: number
  /** The operator confirms that records missing at the end are known to be lost. */
  readonly acceptMissing?: boolean
  /** Bytes after which a new segment is begun. */
  readonly segmentBytes: number
  /** Called after every group, with the number of durable records. */
  readonly onDurable: (size: number) => void
  /** Called with the number of records in mode `after` that were lost with a failed group. */
  readonly onLost: (count: number) => void
}

interface Waiter {
  resolve(receipt: Receipt): void
  reject(error: Error): void
}

/** Most records and bytes of text in one group. */
const GROUP_RECORDS = 4_096
const GROUP_TEXT = 4 << 20

/**
 * Records made durable in groups: one write and one `fdatasync` for all records that arrived during
 * the previous group, and the next group directly after it; there is no timer. A record is
 * acknowledged when its group is durable.
 */
export class WriteAheadLog {
  readonly #options: WriteAheadLogOptions
  #file: DurableFile | undefined = undefined
  #segment = 0
  #segmentSalt: Uint8Array = new Uint8Array(8)
  #position = 0
  #next: number
  #kinds: RecordKind[] = []
  #texts: string[] = []
  #waiters: (Waiter | undefined)[] = []
  #inFlight: (Waiter | undefined)[] = []
  #waitingChars = 0
  #flushing = false
  #flushStarted = 0
  #failure: StoreError | undefined = undefined
  /** Why the last group could not be written; a later one may be. */
  #refusal: StoreError | undefined = undefined
  #buffer = Buffer.allocUnsafe(256 * 1_024)
  readonly #spares: SpareSegments
  #rollAsked = false
  #rolls: { resolve(): void; reject(error: Error): void }[] = []
  /** Records that became durable or failed, and who waits for more of them. */
  #ended = 0
  #ending: { readonly at: number; resolve(): void }[] = []

  private constructor(options: WriteAheadLogOptions, next: number) {
    this.#options = options
    this.#next = next
    this.#spares = new SpareSegments(options.files, options.directory)
  }

  /**
   * Opens the segments of a directory: finds their end, discards a torn tail.
   * @throws IntegrityError when durable bytes were changed or are missing
   */
  static async open(options: WriteAheadLogOptions): Promise<WriteAheadLog> {
    const { files, directory } = options
    const scan = new SegmentScan(files, directory, options.from)
    while (scan.read() !== undefined);
    scan.requireTornTail()
    if (scan.reached < options.from && options.from > 0 && options.acceptMissing !== true) {
      throw new IntegrityError(
        `${directory}: ends at entry ${Math.max(0, scan.reached)}, but the published tree has ${options.from}; acknowledged entries may be lost`,
      )
    }
    const log = new WriteAheadLog(options, scan.next)
    for (const first of segmentsIn(files, directory)) {
      if (first > scan.next)
        throw new IntegrityError(`${directory}: the segment with entry ${scan.next} is missing`)
    }
    log.#spares.remove()
    const end = scan.end
    if (end === undefined || scan.reached < options.from) await log.#roll()
    else await log.#resume(end.segment, end.salt, end.offset)
    return log
  }

  /** Index the next record will get; all below it are durable. */
  get durable(): number {
    return this.#next
  }

  /** Records that wait for a group. */
  get waiting(): number {
    return this.#texts.length
  }

  /** Characters of the records that wait for a group. */
  get waitingChars(): number {
    return this.#waitingChars
  }

  /** Why nothing can be written any more; undefined while writing works. */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  /** Why nothing is written at present, permanently or until there is space again. */
  get trouble(): StoreError | undefined {
    return this.#failure ?? this.#refusal
  }

  /** `performance.now()` at which the group now under way began; 0 when none is. */
  get flushStarted(): number {
    return this.#flushStarted
  }

  /**
   * Resolves once the record is durable.
   * @throws StoreError when it could not be made durable
   */
  append(kind: RecordKind, text: string): Promise<Receipt> {
    return new Promise((resolve, reject) => this.#enqueue(kind, text, { resolve, reject }))
  }

  /** Accepts a record without reporting when it is durable. */
  push(kind: RecordKind, text: string): void {
    this.#enqueue(kind, text, undefined)
  }

  #enqueue(kind: RecordKind, text: string, waiter: Waiter | undefined): void {
    if (this.#failure !== undefined) {
      if (waiter === undefined) this.#options.onLost(1)
      else waiter.reject(this.#failure)
      return
    }
    this.#kinds.push(kind)
    this.#texts.push(text)
    this.#waitingChars += text.length
    this.#waiters.push(waiter)
    this.#start()
  }

  #start(): void {
    if (this.#flushing) return
    this.#flushing = true
    // Not at once: callers that were acknowledged together append again in the same turn, and share a group.
    queueMicrotask(() => void this.#flush())
  }

  async #flush(): Promise<void> {
    for (;;) {
      if (this.#rolls.length > 0) await this.#rollAsAsked()
      if (this.#texts.length === 0 || this.#failure !== undefined) break
      const { kinds, texts, waiters } = this.#takeGroup()
      const count = texts.length
      this.#inFlight = waiters
      this.#flushStarted = performance.now()
      try {
        await this.#writeGroup(kinds, texts)
      } catch (error) {
        this.#groupFailed(waiters, error)
        this.#groupEnded(count)
        continue
      }
      this.#refusal = undefined
      const first = this.#next
      this.#next += count
      for (let i = 0; i < count; i++) waiters[i]?.resolve({ index: BigInt(first + i) })
      this.#options.onDurable(this.#next)
      this.#groupEnded(count)
    }
    this.#flushStarted = 0
    this.#flushing = false
    for (const { resolve } of this.#ending.splice(0)) resolve()
  }

  #groupEnded(count: number): void {
    this.#inFlight = []
    this.#ended += count
    while ((this.#ending[0]?.at ?? Infinity) <= this.#ended) this.#ending.shift()?.resolve()
  }

  /** Resolves when every record accepted so far is durable, or failed, whatever comes meanwhile. */
  settled(): Promise<void> {
    const at = this.#ended + this.#inFlight.length + this.#texts.length
    return new Promise(resolve => (at === this.#ended ? resolve() : this.#ending.push({ at, resolve })))
  }

  /** Begins the segment that somebody waits for. Its failure is theirs: the next group tries again. */
  async #rollAsAsked(): Promise<void> {
    const asked = this.#rolls.splice(0)
    try {
      if (this.#failure !== undefined) throw this.#failure
      await this.#roll()
      for (const { resolve } of asked) resolve()
    } catch (cause) {
      const error = this.#failure ?? writeError(this.#options.directory, cause)
      for (const { reject } of asked) reject(error)
    }
  }

  /** The next group: everything that waits, unless that is too much for one write. */
  #takeGroup(): { kinds: RecordKind[]; texts: string[]; waiters: (Waiter | undefined)[] } {
    const group = { kinds: this.#kinds, texts: this.#texts, waiters: this.#waiters }
    let count = group.texts.length
    if (this.#waitingChars > GROUP_TEXT) {
      let chars = group.texts[0]?.length ?? 0
      for (count = 1; chars <= GROUP_TEXT; count++) chars += group.texts[count]?.length ?? GROUP_TEXT
    }
    count = Math.min(count, GROUP_RECORDS)
    this.#kinds = group.kinds.splice(count)
    this.#texts = group.texts.splice(count)
    this.#waiters = group.waiters.splice(count)
    this.#waitingChars = 0
    for (const text of this.#texts) this.#waitingChars += text.length
    return group
  }

  async #writeGroup(kinds: readonly RecordKind[], texts: readonly string[]): Promise<void> {
    const body = this.#encode(kinds, texts)
    if (this.#rollAsked || this.#position + body.length > this.#options.segmentBytes) await this.#roll()
    sealGroup(body, this.#next, texts.length, this.#options.random.bytes(12), this.#segmentSalt)
    const file = this.#file
    if (file === undefined) throw new Error('no segment is open')
    await file.write(body, this.#position)
    await this.#makeDurable(() => file.sync())
    this.#position += body.length
  }

  /**
   * A failed sync may have dropped pages: nothing written after it can be trusted,
   * so nothing more is accepted.
   */
  async #makeDurable(sync: () => Promise<unknown>): Promise<void> {
    try {
      await sync()
    } catch (error) {
      this.#failure = syncError(this.#options.directory, error)
      throw this.#failure
    }
  }

  #encode(kinds: readonly RecordKind[], texts: readonly string[]): Buffer {
    let bound = GROUP_HEADER_BYTES
    for (const text of texts) bound += RECORD_HEADER_BYTES + text.length * 3
    if (this.#buffer.length < bound) this.#buffer = Buffer.allocUnsafe(bound * 2)
    const buffer = this.#buffer
    let offset = GROUP_HEADER_BYTES
    for (let i = 0; i < texts.length; i++) {
      const length = buffer.write(texts[i] ?? '', offset + RECORD_HEADER_BYTES, 'utf8')
      buffer.writeUInt32BE(length, offset)
      buffer[offset + 4] = kindByte(kinds[i] ?? 'event')
      offset += RECORD_HEADER_BYTES + length
    }
    return buffer.subarray(0, offset)
  }

  #groupFailed(waiters: readonly (Waiter | undefined)[], cause: unknown): void {
    const error = this.#failure ?? writeError(this.#options.directory, cause)
    this.#refusal = error
    const rejected = this.#failure === undefined ? waiters : [...waiters, ...this.#waiters.splice(0)]
    if (this.#failure !== undefined) {
      this.#texts = []
      this.#kinds = []
      this.#waitingChars = 0
    }
    let lost = 0
    for (const waiter of rejected) {
      if (waiter === undefined) lost++
      else waiter.reject(error)
    }
    if (lost > 0) this.#options.onLost(lost)
  }

  /**
   * Begins a new segment at the next index, reusing an old file if there is one. Once that failed, nothing is
   * written before it succeeds: a name in the directory without a header behind it ends the log there, so
   * that a short group written into the old segment after it would be lost.
   */
  async #roll(): Promise<void> {
    const { files, directory, random } = this.#options
    if (this.#segment !== this.#next || this.#file === undefined) {
      this.#rollAsked = true
      const path = join(directory, segmentName(this.#next))
      this.#spares.use(path)
      const file = await files.openDurable(path)
      const salt = random.bytes(8)
      try {
        await file.write(segmentHeader(this.#next, salt), 0)
        await this.#makeDurable(() => Promise.all([file.sync(), files.syncLater(directory)]))
      } catch (error) {
        await file.close()
        throw error
      }
      await this.#file?.close()
      this.#file = file
      this.#segment = this.#next
      this.#segmentSalt = salt
      this.#position = SEGMENT_HEADER_BYTES
    }
    this.#rollAsked = false
  }

  async #resume(segment: number, salt: Uint8Array, offset: number): Promise<void> {
    const { files, directory } = this.#options
    this.#file = await files.openDurable(join(directory, segmentName(segment)))
    // This process will sign what it found valid, so it must be durable even if its
    // writer died before its sync.
    await this.#makeDurable(() => this.#file?.sync() ?? Promise.resolve())
    this.#segment = segment
    this.#segmentSalt = Uint8Array.from(salt)
    this.#position = offset
    // A torn group may follow the end. Starting a new segment, instead of overwriting it, keeps the rule
    // that no valid group follows a torn one.
    this.#rollAsked = true
  }

  /** Fails every waiting call because it takes too long. The records may still become durable. */
  abandon(error: StoreError): void {
    for (const waiters of [this.#inFlight, this.#waiters]) {
      for (const [i, waiter] of waiters.entries()) {
        waiter?.reject(error)
        waiters[i] = undefined
      }
    }
  }

  /**
   * Drops the segments whose records are all below `size`; the one being written
   * stays. Some files are kept for reuse.
   */
  dropBelow(size: number): void {
    const { files, directory } = this.#options
    const segments = segmentsIn(files, directory)
    for (const [i, first] of segments.entries()) {
      const next = segments[i + 1]
      if (next === undefined || next > size || first === this.#segment) continue
      this.#spares.keep(join(directory, segmentName(first)))
    }
  }

  /** Like `dropBelow`, and also removes the files kept for reuse: no old record is left on disk. */
  purgeBelow(size: number): void {
    this.dropBelow(size)
    this.#spares.remove()
    this.#options.files.sync(this.#options.directory)
  }

  /**
   * Begins a new segment, so that everything durable now can be dropped.
   * @throws StoreError when it cannot be written
   */
  roll(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#rolls.push({ resolve, reject })
      this.#start()
    })
  }

  /** Resolves when every accepted record is durable or failed, and closes the file. */
  async close(): Promise<void> {
    if (this.#flushing) await new Promise<void>(resolve => this.#ending.push({ at: Infinity, resolve }))
    this.#failure ??= new StoreError('is closed', {
      store: `audit log ${this.#options.directory}`,
      retryable: false,
    })
    await this.#file?.close()
    this.#file = undefined
  }
}
