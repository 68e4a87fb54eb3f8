import { createHash } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { decodeLeaf } from '../entry/entry.ts'
import { type LogFiles, NUMBERS } from '../files/log-files.ts'
import { type NoteSigner, type NoteVerifier, signNote, verifyNote } from '../format/note.ts'
import { TILE_WIDTH } from '../format/tile.ts'
import { TileTree } from '../log/tile-tree.ts'
import { SpilledNumbers } from './spilled-numbers.ts'

interface TenantNumbersOptions {
  readonly log: LogFiles
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  readonly verifiers: readonly NoteVerifier[]
  /** Tenants whose numbers are held in memory. Default: 20,000. */
  readonly most?: number
}

/** The numbers at one size of the log. */
interface Snapshot {
  readonly size: number
  readonly numbers: ReadonlyMap<string, number>
}

/** First line of what is signed: no checkpoint has it, for its second line is not a size. */
const TITLE = 'postern.audit/numbers'
/** Entries between two snapshots: so many are read again after a crash. */
const EVERY = 20_000
const MOST_IN_MEMORY = 20_000

/**
 * The number of each tenant's last entry. It goes into the next leaf, which is signed, so it is taken from
 * the log and never from the index, which anyone who can write to the directory can edit. A signed snapshot
 * keeps what must be read at the start small; one that is missing, changed or of another tree is made again
 * from the entries. Whoever may create tenants chooses how many there are, so beyond a bound the numbers are
 * in a temporary file.
 */
export class TenantNumbers {
  readonly #options: TenantNumbersOptions
  readonly #most: number
  #spillAt: number
  readonly #spilled = new SpilledNumbers()
  /** Newer than what was spilled. */
  readonly #recent = new Map<string, number>()
  /** Given out since the last publication. */
  #next = new Map<string, number>()
  #kept = -1

  /**
   * Reads the numbers of a log at its published size.
   * @throws IntegrityError when an entry that must be read is missing or damaged
   */
  constructor(options: TenantNumbersOptions, size: number) {
    this.#options = options
    this.#most = options.most ?? MOST_IN_MEMORY
    this.#spillAt = this.#most
    const { log } = options
    const removed = log.removed()
    const snapshot = this.#snapshot(size) ?? { size: 0, numbers: new Map<string, number>() }
    const isPruned = snapshot.size < removed.minimumIndex
    for (const [tenant, number] of isPruned ? removed.numbers : snapshot.numbers) this.#set(tenant, number)
    this.#kept = snapshot.size
    for (let at = isPruned ? removed.minimumIndex : snapshot.size; at < size; ) {
      const bundle = Math.floor(at / TILE_WIDTH)
      const end = Math.min(size, (bundle + 1) * TILE_WIDTH)
      const leaves = log.readBundle(bundle, end - bundle * TILE_WIDTH)
      for (; at < end; at++) {
        const { tenant, number } = decodeLeaf(leaves[at % TILE_WIDTH] ?? new Uint8Array(0), at)
        this.#set(tenant, number)
      }
    }
    this.#keepNowAndThen(size)
  }

  /** Tenants whose numbers are in memory, without those given out since the last publication. */
  get inMemory(): number {
    return this.#recent.size
  }

  /** The number of the tenant's next entry. */
  next(tenant: string): number {
    const number = (this.#next.get(tenant) ?? this.#recent.get(tenant) ?? this.#spilled.get(tenant) ?? 0) + 1
    this.#next.set(tenant, number)
    return number
  }

  /** Forgets the numbers given out since the last publication. */
  abandon(): void {
    this.#next.clear()
  }

  /** What was given out is published. @param size of the log, durable */
  commit(size: number): void {
    for (const [tenant, number] of this.#next) this.#set(tenant, number)
    this.#next.clear()
    this.#keepNowAndThen(size)
  }

  /** While the temporary file cannot be written, numbers stay in memory; it is tried ever more rarely. */
  #set(tenant: string, number: number): void {
    this.#recent.set(tenant, number)
    if (this.#recent.size <= this.#spillAt) return
    const isSpilled = this.#spilled.add(this.#recent)
    this.#spillAt = isSpilled ? this.#most : 2 * this.#recent.size
    if (isSpilled) this.#recent.clear()
  }

  /** A snapshot names every tenant, so with many of them it is written after more entries. */
  #keepNowAndThen(size: number): void {
    if (size - this.#kept >= Math.max(EVERY, this.#spilled.size)) this.keep(size)
  }

  /**
   * Writes a snapshot, unless there is one of this size. Where that fails, as on a full disk, the next start
   * reads more entries.
   * @param size of the log, durable
   */
  keep(size: number): void {
    if (size === this.#kept) return
    const { log, origin, signers } = this.#options
    try {
      const json = this.#text()
      const text = `${[TITLE, origin, size, this.#root(size), digest(json)].join('\n')}\n`
      log.replace(NUMBERS, `${json}\n${signNote(text, signers)}`)
    } catch {
      return
    }
    this.#kept = size
  }

  /** Ends the temporary file. */
  close(): void {
    this.#spilled.close()
  }

  /** Every tenant once, as JSON. */
  #text(): string {
    const pairs: string[] = []
    for (const [tenant, number] of this.#spilled.all())
      if (!this.#recent.has(tenant)) pairs.push(JSON.stringify([tenant, number]))
    for (const pair of this.#recent) pairs.push(JSON.stringify(pair))
    return `[${pairs.join(',')}]`
  }

  /** Entries that the constructor is going to read, as the snapshot says, which is not checked here. */
  static behind(log: LogFiles, size: number): number {
    return size - (Number((log.numbers() ?? '').split('\n', 4)[3]) || 0)
  }

  #snapshot(published: number): Snapshot | undefined {
    const { log, origin, verifiers } = this.#options
    const [json = '', ...note] = (log.numbers() ?? '').split('\n')
    try {
      const lines = verifyNote(note.join('\n'), verifiers).text.split('\n')
      const size = Number(lines[2])
      const said = [TITLE, origin, size, size <= published ? this.#root(size) : '', digest(json), '']
      if (lines.join('\n') !== said.join('\n')) return undefined
      return { size, numbers: new Map(JSON.parse(json) as [string, number][]) }
    } catch (error) {
      if (error instanceof IntegrityError) return undefined
      throw error
    }
  }

  /** Root of the tree at a size: after a rollback the log may have grown other entries up to that size. */
  #root(size: number): string {
    const tree = new TileTree(() => undefined)
    tree.load(size, tile => this.#options.log.readTile(tile))
    return Buffer.from(tree.root()).toString('base64')
  }
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('base64')
}
