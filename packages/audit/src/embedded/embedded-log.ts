import { join } from 'node:path'
import {
  type Clock,
  type Event,
  type Health,
  type RandomSource,
  type Receipt,
  StoreError,
} from '@postern/core'
import type { Erasure } from '../entry/compose-leaf.ts'
import type { Entry } from '../entry/entry.ts'
import { eventText } from '../entry/event-text.ts'
import type { SubjectKeys } from '../entry/key-store.ts'
import type { FileLayer } from '../files/file-layer.ts'
import { WAL } from '../files/log-files.ts'
import { leafHash } from '../format/merkle-tree.ts'
import type { AuditCounts, AuditLog, LeafReceipt } from '../log/audit-log.ts'
import { FloodCounter } from '../log/flood.ts'
import { actAround } from '../log/promises.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import type { LogReader } from '../reader/log-reader.ts'
import { followProblem } from './follow-problem.ts'
import type { Published } from './follower.ts'
import type { FollowerPort } from './follower-port.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

/** Limits of an embedded log; times in milliseconds. */
export interface EmbeddedLogLimits {
  readonly segmentBytes: number
  /** Longest time between an entry being durable and being under a checkpoint. */
  readonly publishInterval: number
  /** After which a `commit` that is not durable fails. */
  readonly commitTimeout: number
  /** Most waiting events in durability mode `after`; four times as many commits may wait. */
  readonly maxWaiting: number
  /**
   * Most entries that may be durable and not published before commits are refused; at twice as many, events
   * in mode `after` are lost, too.
   */
  readonly maxBehind: number
}

export interface EmbeddedLogParts {
  readonly files: FileLayer
  readonly directory: string
  readonly clock: Clock
  readonly random: RandomSource
  readonly limits: EmbeddedLogLimits
  readonly follower: FollowerPort
  readonly published: Published
  readonly reader: LogReader
  readonly keys: Pick<SubjectKeys, 'find'>
  /** Whether the process is not ready when the log is not. */
  readonly required: boolean
  readonly acceptRollback: boolean
  /** Called with every new checkpoint. */
  readonly onPublished?: (published: Published) => void
  /** Releases everything the log holds when it closes. */
  readonly release: () => void | Promise<void>
}

/** Characters of waiting events: the bound on memory beside their number. */
const MAX_WAITING_CHARS = 64 << 20
const WATCH_INTERVAL = 500

/** The embedded log: segments for durability, a follower for everything else. */
export class EmbeddedLog implements AuditLog {
  readonly #parts: EmbeddedLogParts
  readonly #floods: FloodCounter
  #wal: WriteAheadLog | undefined = undefined
  #published: Published
  #following: Promise<void> | undefined = undefined
  #publishTimer: NodeJS.Timeout | undefined = undefined
  #watch: NodeJS.Timeout | undefined = undefined
  #followFailure: string | undefined = undefined
  #stalled = false
  #lost = 0
  #lostReported = 0
  #isReporting = false
  #closing: Promise<void> | undefined = undefined

  private constructor(parts: EmbeddedLogParts) {
    this.#parts = parts
    this.#published = parts.published
    this.#floods = new FloodCounter({ clock: parts.clock, emit: event => this.#enqueue(event) })
  }

  /**
   * Opens the segments and brings the tree up to date with them.
   * @throws IntegrityError when durable bytes were changed or are missing
   */
  static async open(parts: EmbeddedLogParts): Promise<EmbeddedLog> {
    const log = new EmbeddedLog(parts)
    const wal = join(parts.directory, WAL)
    for (const changed of parts.files.makeDirectory(wal)) parts.files.sync(changed)
    log.#wal = await WriteAheadLog.open({
      files: parts.files,
      directory: wal,
      random: parts.random,
      from: parts.published.size,
      segmentBytes: parts.limits.segmentBytes,
      acceptMissing: parts.acceptRollback,
      onDurable: () => log.#durable(),
      onLost: count => {
        log.#lost += count
      },
    })
    await log.settle()
    // The last process may have died between an erasure and this. On a full disk the next one does it.
    await log.#purge().catch(() => undefined)
    log.#watch = setInterval(() => log.#look(), WATCH_INTERVAL)
    log.#watch.unref()
    return log
  }

  get #open(): WriteAheadLog {
    if (this.#wal === undefined) throw this.#error('is not open', false)
    return this.#wal
  }

  #error(message: string, retryable: boolean): StoreError {
    return new StoreError(message, { store: `audit log ${this.#parts.directory}`, retryable })
  }

  record(event: Event): void {
    if (this.#floods.admits(event)) this.#enqueue(event)
  }

  /** Accepts an event, or counts it as lost: a full queue never grows and never blocks. */
  #enqueue(event: Event): void {
    const wal = this.#open
    const { maxWaiting, maxBehind } = this.#parts.limits
    // Twice what commits are allowed: by then nobody who waits for an answer adds any, and the disk has an
    // end.
    const isTooFarBehind = wal.durable - this.#published.size > maxBehind * 2
    if (wal.waiting >= maxWaiting || wal.waitingChars > MAX_WAITING_CHARS || isTooFarBehind) {
      this.#lost++
      return
    }
    try {
      wal.push('event', eventText(event))
    } catch {
      // An event that cannot be serialized (a cycle, a BigInt) counts as lost; it
      // must not make a request fail.
      this.#lost++
    }
  }

  commit(event: Event): Promise<Receipt> {
    try {
      return this.#append('event', eventText(event))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async append(event: Event): Promise<LeafReceipt> {
    const { index } = await this.commit(event)
    return await this.#complete(index)
  }

  /** The receipt of a durable entry, once it is in the tree. */
  async #complete(index: bigint): Promise<LeafReceipt> {
    await this.#publish(Number(index) + 1)
    const [leaf] = await this.#parts.reader.leaves([Number(index)], this.#published.size)
    if (leaf === undefined) throw this.#error(`entry ${index} was removed by retention`, false)
    return { index, leafHash: Buffer.from(leafHash(leaf.bytes)).toString('hex') }
  }

  #append(kind: 'event' | 'erasure', text: string): Promise<Receipt> {
    const wal = this.#open
    const { maxWaiting, maxBehind } = this.#parts.limits
    if (this.#stalled) throw this.#error('the disk does not answer', true)
    if (wal.waiting >= maxWaiting * 4 || wal.waitingChars > MAX_WAITING_CHARS * 2)
      throw this.#error(`${wal.waiting} events wait to become durable`, true)
    if (wal.durable - this.#published.size > maxBehind)
      throw this.#error(`${wal.durable - this.#published.size} entries wait to be published`, true)
    return wal.append(kind, text)
  }

  around<T>(intent: Event, act: () => Promise<T>): Promise<T> {
    return actAround(this, this.#parts.clock, intent, act)
  }

  #durable(): void {
    if (this.#lost > this.#lostReported) this.#reportLoss()
    if (this.#open.durable - this.#published.size > this.#parts.limits.maxBehind / 4) void this.#follow()
    else this.#publishSoon()
  }

  /**
   * Losses are logged, with their number, as soon as the log takes entries again;
   * the recovery itself is always logged.
   */
  #reportLoss(): void {
    if (this.#isReporting) return
    this.#isReporting = true
    const lost = this.#lost
    const count = lost - this.#lostReported
    const about = { time: this.#parts.clock.now(), actor: {} }
    const event: Event =
      count > 0 ? { type: 'audit.lost', ...about, data: { count } } : { type: 'audit.resumed', ...about }
    const done = (): void => {
      this.#isReporting = false
    }
    this.#open.append('event', eventText(event)).then(() => {
      this.#lostReported = lost
      done()
    }, done)
  }

  #publishSoon(): void {
    if (this.#publishTimer !== undefined || this.#closing !== undefined) return
    this.#publishTimer = setTimeout(() => {
      this.#publishTimer = undefined
      void this.#follow()
    }, this.#parts.limits.publishInterval)
    this.#publishTimer.unref()
  }

  /**
   * Has the follower publish what is durable now; one call at a time, failures are
   * kept for `health` and retried.
   */
  #follow(): Promise<void> {
    this.#following ??= this.#followOnce().finally(() => {
      this.#following = undefined
      if (this.#open.durable > this.#published.size) this.#publishSoon()
    })
    return this.#following
  }

  async #followOnce(): Promise<void> {
    const size = this.#open.durable
    if (size === this.#published.size) return
    try {
      this.#published = await this.#parts.follower.follow(size, this.#parts.clock.now())
      this.#followFailure = undefined
    } catch (error) {
      this.#followFailure = followProblem(error)
      return
    }
    this.#open.dropBelow(this.#published.size)
    this.#parts.onPublished?.(this.#published)
  }

  /**
   * Resolves when everything durable at the call is published and searchable.
   * @throws StoreError when publishing fails
   */
  settle(): Promise<void> {
    return this.#publish(this.#open.durable)
  }

  /** Publishes at least `size` entries, all of which are durable. */
  async #publish(size: number): Promise<void> {
    while (this.#published.size < size) {
      await this.#follow()
      if (this.#followFailure !== undefined && this.#published.size < size)
        throw this.#error(`cannot publish: ${this.#followFailure}`, true)
    }
  }

  async proof(index: bigint): Promise<string> {
    await this.settle()
    return await this.#parts.reader.proof(index)
  }

  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    await this.settle()
    yield* this.#parts.reader.query(query)
  }

  async checkpoint(): Promise<string> {
    await this.settle()
    return this.#published.checkpoint
  }

  async eraseSubject(id: string, { tenant = '' }: { readonly tenant?: string } = {}): Promise<LeafReceipt> {
    // Everything about the subject must be sealed first: records that wait, are only counted, or are only in
    // the segments are not yet sealed with its key, and would be under a new one afterwards.
    this.#floods.flush()
    await this.#open.settled()
    await this.settle()
    const key = this.#parts.keys.find({ tenant, principal: id })
    if (key === undefined) throw this.#error('has nothing sealed for this subject', false)
    const erasure: Erasure = { key: key.id, tenant, time: this.#parts.clock.now() }
    const { index } = await this.#append('erasure', JSON.stringify(erasure))
    const receipt = await this.#complete(index)
    await this.#purge()
    return receipt
  }

  /**
   * Leaves no record on disk that is not sealed, but those that came meanwhile: some that were waiting when a
   * subject was erased lie in the segment that is being written.
   */
  async #purge(): Promise<void> {
    const wal = this.#open
    await wal.roll()
    await this.settle()
    wal.purgeBelow(this.#published.size)
  }

  counts(): AuditCounts {
    const wal = this.#open
    return {
      durable: wal.durable,
      published: this.#published.size,
      waiting: wal.waiting,
      lost: this.#lost,
      coalesced: this.#floods.coalesced,
    }
  }

  health(): Health {
    const wal = this.#open
    const behind = wal.durable - this.#published.size
    const trouble =
      wal.trouble?.message ??
      (this.#stalled ? 'the disk does not answer' : undefined) ??
      (behind > this.#parts.limits.maxBehind ? `${behind} entries wait to be published` : undefined) ??
      (wal.waiting >= this.#parts.limits.maxWaiting ? 'the queue is full; events are being lost' : undefined)
    const detail = [
      trouble,
      this.#followFailure === undefined ? undefined : `publishing fails: ${this.#followFailure}`,
      this.#lost > 0 ? `${this.#lost} events were lost` : undefined,
    ]
    const text = detail.filter(part => part !== undefined).join('; ')
    return {
      name: 'audit',
      ok: trouble === undefined,
      required: this.#parts.required,
      ...(text !== '' && { detail: text }),
    }
  }

  /**
   * A disk that hangs reports no error: waiting callers fail, and new ones are
   * refused at once until it answers.
   */
  #look(): void {
    this.#floods.tick()
    const wal = this.#open
    const since = wal.flushStarted
    this.#stalled = since > 0 && performance.now() - since > this.#parts.limits.commitTimeout
    if (this.#stalled) wal.abandon(this.#error('the disk does not answer', true))
    // A process that is not ready may receive no requests: the log checks by itself
    // whether it can be written again.
    if (wal.trouble !== undefined && wal.failure === undefined) this.#reportLoss()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#floods.flush()
    clearTimeout(this.#publishTimer)
    clearInterval(this.#watch)
    await this.#open.close()
    await this.settle().catch(() => {})
    await this.#parts.follower.close()
    await this.#parts.release()
  }
}
