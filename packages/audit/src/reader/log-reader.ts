import { IntegrityError } from '@postern/core'
import { decodeLeaf, type Entry, type Leaf } from '../entry/entry.ts'
import { unsealEntry } from '../entry/open-entry.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../format/checkpoint.ts'
import { consistencyProof, inclusionProof, type NodeSource, treeRoot } from '../format/merkle-tree.ts'
import type { NoteVerifier } from '../format/note.ts'
import { parseNote } from '../format/note.ts'
import { canBeRemoved } from '../format/removable.ts'
import type { Hash } from '../format/sha256.ts'
import { TILE_WIDTH, type Tile, tileNodes, tilePath } from '../format/tile.ts'
import { formatTlogProof } from '../format/tlog-proof.ts'
import type { AuditQuery } from './audit-query.ts'
import { contradiction } from './contradiction.ts'
import type { LogStore } from './log-store.ts'

/** Reads what a log has published, wherever it is kept; works while others append. Changes no entry. */
export class LogReader {
  readonly store: LogStore
  readonly #verifiers: readonly NoteVerifier[]
  /** The nodes used last, whose tiles are kept: exports request many proofs of one size. */
  #nodes: { readonly size: bigint; readonly source: NodeSource } | undefined = undefined

  /** @param verifiers keys that may have signed; the checkpoint is taken unverified when there are none */
  constructor(store: LogStore, verifiers: readonly NoteVerifier[]) {
    this.store = store
    this.#verifiers = verifiers
  }

  /**
   * The latest signed checkpoint.
   * @throws IntegrityError when there is none
   */
  async checkpoint(): Promise<string> {
    const note = await this.store.checkpoint()
    if (note === undefined)
      throw new IntegrityError(`${this.store.name}: no checkpoint; this is not an audit log`)
    return note
  }

  /**
   * The tree head of a checkpoint. Default: the latest.
   * @throws IntegrityError when no known key signed it
   */
  async head(note?: string): Promise<Checkpoint> {
    const signed = note ?? (await this.checkpoint())
    return this.#verifiers.length === 0
      ? parseCheckpoint(parseNote(signed).text)
      : openCheckpoint(signed, this.#verifiers)
  }

  /** Verifier keys that the log names for itself: enough to read, not to trust. */
  verifierKeys(): Promise<readonly string[]> {
    return this.store.verifierKeys()
  }

  /**
   * Index of the first entry that retention kept.
   * @throws IntegrityError when it is something that retention does not write
   */
  async minimumIndex(): Promise<number> {
    const minimumIndex = await this.store.minimumIndex()
    // Asked for afterwards: a log only grows.
    if (minimumIndex !== 0 && !canBeRemoved(minimumIndex, Number((await this.head()).size)))
      throw new IntegrityError(
        `${this.store.name}: the mark of retention, ${minimumIndex}, is damaged, or somebody wrote it`,
      )
    return minimumIndex
  }

  /** Nodes of the tree at a published size. */
  nodes(size: number): NodeSource {
    return tileNodes(tile => this.#tile(tile), size)
  }

  async #tile(tile: Tile): Promise<Uint8Array> {
    const bytes = await this.store.tile(tile)
    if (bytes === undefined) throw new IntegrityError(`${this.store.name}: ${tilePath(tile)} is missing`)
    return bytes
  }

  /** Root of the tree when it had `size` leaves. @throws IntegrityError when it never had that many */
  async root(size: bigint): Promise<Hash> {
    const head = await this.head()
    if (size > head.size) throw new IntegrityError(`the log has ${head.size} entries, not ${size}`)
    return await treeRoot(this.nodes(Number(head.size)), Number(size))
  }

  /** Proof that the tree of `newSize` extends the one of `oldSize`. */
  async consistency(oldSize: bigint, newSize: bigint): Promise<readonly Hash[]> {
    const head = await this.head()
    if (newSize > head.size) throw new IntegrityError(`the log has ${head.size} entries, not ${newSize}`)
    return await consistencyProof(this.nodes(Number(head.size)), Number(oldSize), Number(newSize))
  }

  /** Inclusion proof of an entry in the tree of a published size. */
  inclusion(index: bigint, size: bigint): Promise<readonly Hash[]> {
    if (this.#nodes?.size !== size) this.#nodes = { size, source: this.nodes(Number(size)) }
    return inclusionProof(this.#nodes.source, Number(index), Number(size))
  }

  /**
   * A `.tlog-proof` for an entry (C2SP tlog-proof), under the witnessed checkpoint when it covers the entry.
   * @throws RangeError when the log has no such entry
   */
  async proof(index: bigint): Promise<string> {
    const witnessed = await this.store.witnessedCheckpoint()
    const usable =
      witnessed !== undefined && (await this.head(witnessed)).size > index
        ? witnessed
        : await this.checkpoint()
    const size = Number((await this.head(usable)).size)
    const hashes = await inclusionProof(this.nodes(size), Number(index), size)
    return formatTlogProof({ index, hashes, checkpoint: usable })
  }

  /**
   * One entry.
   * @throws RangeError when the log has no such entry, or retention removed it
   */
  async entry(index: bigint): Promise<Entry> {
    const head = await this.head()
    if (index < BigInt(await this.minimumIndex()))
      throw new RangeError(`entry ${index} was removed by retention; its proofs are kept`)
    if (index >= head.size)
      throw new RangeError(`the log has ${head.size} entries, none with number ${index}`)
    const [entry] = await this.#open([Number(index)], head)
    if (entry === undefined) throw new IntegrityError(`entry ${index} is missing`)
    return entry
  }

  /** Entries as they are, with the keys for them fetched together. */
  async #open(indexes: readonly number[], { origin, size }: Checkpoint): Promise<readonly Entry[]> {
    const leaves = await this.leaves(indexes, Number(size))
    const ids = new Set(leaves.flatMap(({ leaf }) => (leaf.sealed === undefined ? [] : [leaf.sealed.key])))
    const keys = await this.store.keys([...ids])
    return leaves.map(({ leaf, bytes }) => unsealEntry(leaf, bytes, origin, { byId: id => keys.get(id) }))
  }

  /**
   * Leaves below a published size, sealed as they are; those that retention removes meanwhile are left out.
   * @throws IntegrityError when one is missing, or stands at another place than it says
   */
  async leaves(
    indexes: readonly number[],
    size: number,
  ): Promise<readonly { readonly leaf: Leaf; readonly bytes: Uint8Array }[]> {
    try {
      const found = await this.store.leaves(indexes, size)
      return found.map((bytes, i) => ({ leaf: decodeLeaf(bytes, indexes[i] ?? -1), bytes }))
    } catch (error) {
      const minimum = await this.minimumIndex()
      if (!(error instanceof IntegrityError) || indexes.every(index => index >= minimum)) throw error
      return await this.leaves(
        indexes.filter(index => index >= minimum),
        size,
      )
    }
  }

  /**
   * Entries from one index up to another, in order, without searching; what retention removed is left out.
   */
  async *entries(from: bigint, to?: bigint): AsyncGenerator<Entry, void, undefined> {
    const head = await this.head()
    const end = Math.min(Number(head.size), to === undefined ? Number.POSITIVE_INFINITY : Number(to))
    for (let start = Math.max(Number(from), await this.minimumIndex()); start < end; ) {
      const stop = Math.min(end, start - (start % TILE_WIDTH) + TILE_WIDTH)
      yield* await this.#open(range(start, stop), head)
      start = stop
    }
  }

  /**
   * Entries that match, one after the other, without holding them all.
   * @throws IntegrityError when there is nothing to search in, or the index names another entry
   */
  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    const head = await this.head()
    const minimum = await this.minimumIndex()
    const text = query.text?.toLowerCase()
    let left = query.limit ?? Number.POSITIVE_INFINITY
    for await (const page of this.store.find(query)) {
      const there = page.filter(index => index < Number(head.size) && index >= minimum)
      // Without a text every index is a match: no more entries are opened than requested.
      const wanted = text === undefined && left < there.length ? there.slice(0, Math.max(0, left)) : there
      for (const entry of await this.#open(wanted, head)) {
        if (left <= 0) return
        this.#requireMatch(query, entry)
        if (text !== undefined && !JSON.stringify(entry.event).toLowerCase().includes(text)) continue
        left--
        yield entry
      }
      if (left <= 0) return
      // A text search reads many entries for a few matches: other work runs between pages.
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }

  #requireMatch(query: AuditQuery, entry: Entry): void {
    const wrong = contradiction(query, entry)
    if (wrong === undefined) return
    throw new IntegrityError(
      `${this.store.name}: the search index names entry ${entry.index}, whose ${wrong} is another: somebody edited the index. ` +
        'It is made from the log: postern audit rebuild --replace',
    )
  }
}

/** The whole numbers from one up to another. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
}
