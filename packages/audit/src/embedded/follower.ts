import { join } from 'node:path'
import { type Event, IntegrityError } from '@postern/core'
import { composeLeaf, ERASED, type Erasure, erasureEvent } from '../entry/compose-leaf.ts'
import { type Entry, splitEvent } from '../entry/entry.ts'
import type { SubjectKeys } from '../entry/key-store.ts'
import { openEntry } from '../entry/open-entry.ts'
import type { FileLayer } from '../files/file-layer.ts'
import { CHECKPOINT, INDEX, LogFiles, WAL } from '../files/log-files.ts'
import { openCheckpoint, signCheckpoint } from '../format/checkpoint.ts'
import { encodeBundle } from '../format/entry-bundle.ts'
import { leafHash } from '../format/merkle-tree.ts'
import { type NoteSigner, type NoteVerifier, parseNote } from '../format/note.ts'
import { sameBytes } from '../format/sha256.ts'
import { TILE_WIDTH, tileWidth } from '../format/tile.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { fillIndex } from '../index/fill-index.ts'
import { TileTree } from '../log/tile-tree.ts'
import type { WalRecord } from './segment.ts'
import { SegmentScan } from './segment-scan.ts'
import { TenantNumbers } from './tenant-numbers.ts'

export interface FollowerOptions {
  readonly files: FileLayer
  readonly directory: string
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  readonly verifiers: readonly NoteVerifier[]
  readonly keys: SubjectKeys
  readonly index: AuditIndex
  /** Age in milliseconds after which the keys of anonymous traffic are destroyed. Default: never. */
  readonly forgetAnonymousAfter?: number
}

/** How far the tree has come. */
export interface Published {
  readonly size: number
  /** Signed. */
  readonly checkpoint: string
}

/** Most records of one publication: bounds memory, and the work to repeat after a crash. */
const BATCH = 16_384

/**
 * Turns durable records into the log that others read: seals, numbers, hashes, writes tiles and bundles,
 * signs, indexes. It runs after the acknowledgement, and everything it writes can be rebuilt from the
 * segments: the same records give the same bytes.
 */
export class Follower {
  readonly #options: FollowerOptions
  readonly #log: LogFiles
  readonly #tree: TileTree
  #bundle: Buffer[] = []
  #scan: SegmentScan
  #published: Published
  readonly #numbers: TenantNumbers
  #erased: string[] = []
  #forgotten = ''
  #minimumIndex = 0

  /**
   * Resumes a log at its checkpoint.
   * @throws IntegrityError when the tiles do not match the checkpoint, or it is not signed by a known key
   */
  constructor(options: FollowerOptions) {
    this.#options = options
    this.#log = new LogFiles(options.files, options.directory)
    this.#tree = new TileTree((tile, hashes) => this.#log.writeTile(tile, hashes))
    this.#published = this.#takeUp()
    this.#scan = this.#scanFrom(this.#published.size)
    this.#numbers = new TenantNumbers({ ...options, log: this.#log }, this.#published.size)
    this.#catchUpIndex()
    this.#finishErasures()
    this.#forgetRemoved()
  }

  get published(): Published {
    return this.#published
  }

  #scanFrom(size: number): SegmentScan {
    return new SegmentScan(this.#options.files, join(this.#options.directory, WAL), size)
  }

  #takeUp(): Published {
    const note = this.#log.checkpoint()
    if (note === undefined) {
      const found = this.#traces()
      if (found !== undefined)
        throw new IntegrityError(
          `${this.#options.directory}: the checkpoint is missing, and there is ${found}. A log has a checkpoint before it has anything else, ` +
            'so somebody deleted it, or a copy lacks it: put it back, for nothing else says how many entries there were',
        )
      return this.#sign()
    }
    const head = openCheckpoint(note, this.#options.verifiers, this.#options.origin)
    this.#load(Number(head.size))
    if (!sameBytes(this.#tree.root(), head.root))
      throw new IntegrityError(`${this.#options.directory}: the tiles are not those of the checkpoint`)
    // A new key says at once that it is this log's, so that its predecessor may go.
    return this.#isSignedByNewest(note) ? { size: Number(head.size), checkpoint: note } : this.#sign()
  }

  #isSignedByNewest(note: string): boolean {
    const [newest] = this.#options.signers
    const { signatures } = parseNote(note)
    return signatures.some(({ name, keyId }) => name === newest?.name && keyId === newest.keyId)
  }

  /** What only a log that was begun has. */
  #traces(): string | undefined {
    const { files, directory, index } = this.#options
    const tiles = files.list(join(directory, 'tile')).length
    if (tiles > 0) return 'a folder of tiles'
    if (index.size > 0) return `an index of ${index.size} entries`
    if (this.#log.numbers() !== undefined) return 'the number of the last entry of each tenant'
    const [first] = files.list(join(directory, WAL)).filter(name => name.endsWith('.wal'))
    return first === undefined || first.startsWith('0000000000000000') ? undefined : 'a later segment'
  }

  #load(size: number): void {
    this.#tree.load(size, tile => this.#log.readTile(tile))
    const width = size % TILE_WIDTH
    this.#bundle =
      width === 0 ? [] : this.#log.readBundle(Math.floor(size / TILE_WIDTH), width).map(Buffer.from)
  }

  /** The index may be behind (it is written last) or new: the entries it lacks are in the bundles. */
  #catchUpIndex(): void {
    const { index, keys, origin } = this.#options
    const { size } = this.#published
    if (index.size > size)
      throw new IntegrityError(
        `${join(this.#options.directory, INDEX)}: the search index knows ${index.size} entries, and the log has ${size}: the log lost entries, as with an older copy, ` +
          'or somebody edited the index. Compare the log with an anchor or an older checkpoint, then postern audit rebuild --replace',
      )
    fillIndex({ index, log: this.#log, keys, origin, size })
  }

  /**
   * Publishes the records below `end`.
   * @param now epoch milliseconds
   * @throws IntegrityError when the segments are damaged
   */
  follow(end: number, now: number): Published {
    try {
      if (this.#options.index.size < this.#published.size) this.#catchUpIndex()
      while (this.#tree.size < end) {
        const stop = Math.min(end, this.#published.size + BATCH)
        while (this.#tree.size < stop) {
          const records = this.#scan.read(end)
          if (records === undefined)
            throw new IntegrityError(`the segments end at entry ${this.#tree.size}, not ${end}`)
          for (const record of records) {
            this.#enter(record)
            // At once: what the subject does afterwards is sealed with another key, and not erased with it.
            if (record.kind === 'erasure') this.#publish()
          }
        }
        this.#publish()
      }
      this.#forgetAnonymous(now)
      this.#forgetRemoved()
    } catch (error) {
      this.#rewind()
      throw error
    }
    return this.#published
  }

  /** After a failure: discards what is not published, so that the next call repeats it. */
  #rewind(): void {
    this.#options.index.abandon()
    this.#numbers.abandon()
    this.#erased = []
    this.#load(this.#published.size)
    this.#scan = this.#scanFrom(this.#published.size)
  }

  #enter(record: WalRecord): void {
    const { keys, index: search, origin } = this.#options
    const event = record.kind === 'event' ? (JSON.parse(record.text) as Event) : this.#erasure(record.text)
    const { subject } = splitEvent(event)
    const key = subject === undefined ? undefined : keys.obtain(subject)
    const tenant = event.actor.tenant ?? ''
    const number = this.#numbers.next(tenant)
    const leaf = composeLeaf({ event, index: record.index, number, origin, key, salt: record.salt })
    this.#tree.append(leafHash(leaf))
    this.#bundle.push(leaf)
    if (this.#bundle.length === TILE_WIDTH) this.#writeBundle()
    const entry: Pick<Entry, 'index' | 'tenant' | 'number' | 'event'> = {
      index: BigInt(record.index),
      tenant,
      number,
      event,
    }
    search.add({ entry, subject: key?.id })
  }

  #erasure(text: string): Event {
    const erasure = JSON.parse(text) as Erasure
    this.#erased.push(erasure.key)
    return erasureEvent(erasure)
  }

  #writeBundle(): void {
    const width = this.#bundle.length
    const index = Math.ceil(this.#tree.size / TILE_WIDTH) - 1
    this.#log.writeTile({ level: 'entries', index, width }, encodeBundle(this.#bundle))
    if (width === TILE_WIDTH) this.#bundle = []
  }

  /**
   * Everything the checkpoint commits to is durable before it is signed; the index
   * follows, and erased keys go last.
   */
  #publish(): void {
    const { keys, index } = this.#options
    keys.flush()
    if (this.#bundle.length > 0) this.#writeBundle()
    for (const { tile, hashes } of this.#tree.partialTiles()) {
      // A file that a published checkpoint needs is never rewritten: a crash during
      // the write would destroy it.
      if (tileWidth(Number(tile.level), tile.index, this.#published.size) !== tile.width)
        this.#log.writeTile(tile, hashes)
    }
    this.#log.sync()
    this.#published = this.#sign()
    this.#numbers.commit(this.#published.size)
    index.commit(this.#published.size)
    this.#log.removeOvertaken()
    for (const key of this.#erased.splice(0)) this.#erase(key)
  }

  /**
   * Addresses and agents of anonymous traffic are sealed under one key per day, which
   * is destroyed when the day is old enough.
   */
  #forgetAnonymous(now: number): void {
    const { keys, index, forgetAnonymousAfter } = this.#options
    if (forgetAnonymousAfter === undefined) return
    const day = new Date(Math.max(0, now - forgetAnonymousAfter)).toISOString().slice(0, 10)
    if (day === this.#forgotten) return
    for (const key of keys.destroyDaysBefore(day)) index.eraseSubject(key)
    this.#forgotten = day
  }

  /** What retention removed from the log is removed from the index too. */
  #forgetRemoved(): void {
    const minimumIndex = this.#log.minimumIndex()
    if (minimumIndex === this.#minimumIndex) return
    this.#options.index.removeBelow(minimumIndex)
    this.#minimumIndex = minimumIndex
  }

  #erase(key: string): void {
    this.#options.index.eraseSubject(key)
    this.#options.keys.destroy(key)
  }

  /** An erasure that is in the log is carried out even if the process died just then. */
  #finishErasures(): void {
    const { index, keys, origin } = this.#options
    for (const page of index.find({ type: ERASED, order: 'oldest' })) {
      for (const at of page.filter(found => found >= this.#log.minimumIndex())) {
        const bundle = Math.floor(at / TILE_WIDTH)
        const bytes = this.#log.readBundle(bundle, (at % TILE_WIDTH) + 1)[at % TILE_WIDTH]
        const { event } = openEntry(bytes ?? new Uint8Array(0), at, origin, keys).entry
        const key = event.data?.['key']
        // The index only says where to look: whoever edits it must not choose whose key is destroyed.
        if (event.type === ERASED && typeof key === 'string') this.#erase(key)
      }
    }
  }

  #sign(): Published {
    const { origin, signers } = this.#options
    const size = this.#tree.size
    const checkpoint = signCheckpoint({ origin, size: BigInt(size), root: this.#tree.root() }, signers)
    this.#log.replace(CHECKPOINT, checkpoint)
    return { size, checkpoint }
  }

  close(): void {
    this.#numbers.keep(this.#published.size)
    this.#numbers.close()
    this.#options.index.close()
  }
}
