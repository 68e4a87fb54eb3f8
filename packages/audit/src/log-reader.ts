import { IntegrityError } from '@postern/core'
import type { AuditQuery } from './audit-query.ts'
import type { FileLayer } from './embedded/file-layer.ts'
import { LogFiles } from './embedded/log-files.ts'
import type { Entry } from './entry.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from './format/checkpoint.ts'
import { consistencyProof, inclusionProof, type NodeSource, treeRoot } from './format/merkle-tree.ts'
import { parseNote } from './format/note.ts'
import type { NoteVerifier } from './format/note-key.ts'
import type { Hash } from './format/sha256.ts'
import { TILE_WIDTH, tileNodes } from './format/tile.ts'
import { formatTlogProof } from './format/tlog-proof.ts'
import type { AuditIndex } from './index/audit-index.ts'
import { type KeyLookup, openEntry } from './open-entry.ts'

export interface LogReaderParts {
  readonly files: FileLayer
  readonly directory: string
  /** Keys that may have signed; the checkpoint is taken unverified when empty. */
  readonly verifiers: readonly NoteVerifier[]
  readonly keys: KeyLookup
  readonly index: AuditIndex | undefined
}

const BUNDLE_CACHE = 64

/** Reads what a log has published; works while another process appends. Never changes anything. */
export class LogReader {
  readonly log: LogFiles
  readonly #parts: LogReaderParts
  readonly #bundles = new Map<number, readonly Uint8Array[]>()
  /** Nodes last used, whose tiles are kept: exports ask for many proofs of one size. */
  #nodes: { readonly size: bigint; readonly source: NodeSource } | undefined = undefined

  constructor(parts: LogReaderParts) {
    this.#parts = parts
    this.log = new LogFiles(parts.files, parts.directory)
  }

  /**
   * The latest signed checkpoint.
   * @throws IntegrityError when there is none
   */
  checkpoint(): string {
    const note = this.log.checkpoint()
    if (note === undefined)
      throw new IntegrityError(`${this.#parts.directory}: no checkpoint; this is no audit log`)
    return note
  }

  /**
   * The tree head of the latest checkpoint.
   * @throws IntegrityError when no known key signed it
   */
  head(note: string = this.checkpoint()): Checkpoint {
    const { verifiers } = this.#parts
    return verifiers.length === 0 ? parseCheckpoint(parseNote(note).text) : openCheckpoint(note, verifiers)
  }

  /** Nodes of the tree at a published size. */
  nodes(size: number): NodeSource {
    return tileNodes(tile => this.log.readTile(tile), size)
  }

  /** Root of the tree when it had `size` leaves. @throws IntegrityError when it never had that many */
  async root(size: bigint): Promise<Hash> {
    const head = this.head()
    if (size > head.size) throw new IntegrityError(`the log has ${head.size} entries, not ${size}`)
    return await treeRoot(this.nodes(Number(head.size)), Number(size))
  }

  /** Proof that the tree of `newSize` extends the one of `oldSize`. */
  async consistency(oldSize: bigint, newSize: bigint): Promise<readonly Hash[]> {
    const head = this.head()
    if (newSize > head.size) throw new IntegrityError(`the log has ${head.size} entries, not ${newSize}`)
    return await consistencyProof(this.nodes(Number(head.size)), Number(oldSize), Number(newSize))
  }

  /** Inclusion proof of an entry in the tree of a published size. */
  inclusion(index: bigint, size: bigint): Promise<readonly Hash[]> {
    this.#nodes ??= { size, source: this.nodes(Number(size)) }
    if (this.#nodes.size !== size) this.#nodes = { size, source: this.nodes(Number(size)) }
    return inclusionProof(this.#nodes.source, Number(index), Number(size))
  }

  /**
   * A `.tlog-proof` for an entry (C2SP tlog-proof), under the witnessed checkpoint when it covers the entry.
   * @throws RangeError when the log has no such entry
   */
  async proof(index: bigint): Promise<string> {
    const witnessed = this.log.witnessedCheckpoint()
    const usable =
      witnessed !== undefined && this.head(witnessed).size > index ? witnessed : this.checkpoint()
    const size = Number(this.head(usable).size)
    const hashes = await inclusionProof(this.nodes(size), Number(index), size)
    return formatTlogProof({ index, hashes, checkpoint: usable })
  }

  /**
   * One entry.
   * @throws RangeError when the log has no such entry, or retention removed it
   */
  entry(index: bigint): Entry {
    const { origin, size } = this.head()
    if (index < BigInt(this.log.minimumIndex()))
      throw new RangeError(`entry ${index} was removed by retention; its proofs are kept`)
    return this.#entry(Number(index), Number(size), origin)
  }

  #entry(index: number, size: number, origin: string): Entry {
    if (index < 0 || index >= size)
      throw new RangeError(`the log has ${size} entries, none with number ${index}`)
    const bundle = Math.floor(index / TILE_WIDTH)
    const bytes = this.#bundle(bundle, Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH))[index % TILE_WIDTH]
    return openEntry(bytes ?? new Uint8Array(0), index, origin, this.#parts.keys).entry
  }

  #bundle(index: number, width: number): readonly Uint8Array[] {
    const known = this.#bundles.get(index)
    if (known !== undefined && known.length >= width) return known
    const bundle = this.log.readBundle(index, width)
    if (this.#bundles.size >= BUNDLE_CACHE) this.#bundles.delete(this.#bundles.keys().next().value ?? -1)
    this.#bundles.set(index, bundle)
    return bundle
  }

  /** Entries from one index up to another, in order, without the index; what retention removed is left out. */
  *entries(from: bigint, to?: bigint): Generator<Entry, void, undefined> {
    const { origin, size } = this.head()
    const end = Math.min(Number(size), to === undefined ? Number.POSITIVE_INFINITY : Number(to))
    for (let index = Math.max(Number(from), this.log.minimumIndex()); index < end; index++)
      yield this.#entry(index, Number(size), origin)
  }

  /**
   * Entries that match, one after the other, without holding them all.
   * @throws IntegrityError when there is no index
   */
  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    const { index } = this.#parts
    if (index === undefined) throw new IntegrityError(`${this.#parts.directory}: no index; rebuild it`)
    const { origin, size } = this.head()
    const minimum = this.log.minimumIndex()
    const text = query.text?.toLowerCase()
    let left = query.limit ?? Number.POSITIVE_INFINITY
    for (const page of index.find(query)) {
      for (const at of page) {
        if (left <= 0) return
        if (at >= Number(size) || at < minimum) continue
        const entry = this.#entry(at, Number(size), origin)
        if (text !== undefined && !JSON.stringify(entry.event).toLowerCase().includes(text)) continue
        left--
        yield entry
      }
      // A text search reads many entries for a few: others get their turn between pages.
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }
}
