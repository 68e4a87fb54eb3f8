import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import type { KeyLookup } from '../entry/open-entry.ts'
import type { SubjectKey } from '../entry/seal.ts'
import type { FileLayer } from '../files/file-layer.ts'
import { LogFiles, MINIMUM_INDEX, WITNESSED } from '../files/log-files.ts'
import { HASH_BYTES } from '../format/sha256.ts'
import { TILE_WIDTH, type Tile, tilePath } from '../format/tile.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import type { LogStore, RemovedEntries } from '../reader/log-store.ts'

export interface DirectoryStoreParts {
  readonly files: FileLayer
  readonly directory: string
  readonly keys: KeyLookup
  readonly index: AuditIndex | undefined
  /** Why there is an index that cannot be used. */
  readonly indexProblem?: IntegrityError
}

const BUNDLE_CACHE = 64

/** What a log in a directory has published. */
export class DirectoryStore implements LogStore {
  readonly name: string
  readonly #files: LogFiles
  readonly #keys: KeyLookup
  readonly #index: AuditIndex | undefined
  readonly #indexProblem: IntegrityError | undefined
  readonly #bundles = new Map<number, readonly Uint8Array[]>()

  constructor({ files, directory, keys, index, indexProblem }: DirectoryStoreParts) {
    this.name = directory
    this.#files = new LogFiles(files, directory)
    this.#keys = keys
    this.#index = index
    this.#indexProblem = indexProblem
  }

  async checkpoint(): Promise<string | undefined> {
    return this.#files.checkpoint()
  }

  async witnessedCheckpoint(): Promise<string | undefined> {
    return this.#files.witnessedCheckpoint()
  }

  keepWitnessed(note: string): Promise<void> {
    return this.#files.replaceLater(WITNESSED, note)
  }

  async verifierKeys(): Promise<readonly string[]> {
    return this.#files.verifierKeys()
  }

  async minimumIndex(): Promise<number> {
    return this.#files.minimumIndex()
  }

  async removedNumbers(): Promise<ReadonlyMap<string, number>> {
    return this.#files.removed().numbers
  }

  async tile(tile: Tile): Promise<Uint8Array | undefined> {
    const bytes = this.#files.tileFile(tile)
    if (bytes === undefined) return undefined
    const length =
      tile.level === 'entries'
        ? bundleLength(bytes, tile.width)
        : Math.min(bytes.length, tile.width * HASH_BYTES)
    if (length === undefined || (tile.level !== 'entries' && length < tile.width * HASH_BYTES))
      throw new IntegrityError(`${tilePath(tile)} is too short`)
    return bytes.subarray(0, length)
  }

  async raw(path: string): Promise<Uint8Array | undefined> {
    return this.#files.files.read(join(this.#files.directory, path))
  }

  async leaves(indexes: readonly number[], size: number): Promise<readonly Uint8Array[]> {
    return indexes.map(index => {
      const bundle = Math.floor(index / TILE_WIDTH)
      const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH)
      return this.#bundle(bundle, width)[index % TILE_WIDTH] ?? new Uint8Array(0)
    })
  }

  #bundle(index: number, width: number): readonly Uint8Array[] {
    const known = this.#bundles.get(index)
    if (known !== undefined && known.length >= width) return known
    const bundle = this.#files.readBundle(index, width)
    if (this.#bundles.size >= BUNDLE_CACHE) this.#bundles.delete(this.#bundles.keys().next().value ?? -1)
    this.#bundles.set(index, bundle)
    return bundle
  }

  async keys(ids: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>> {
    const found = new Map<string, SubjectKey>()
    for (const id of ids) {
      const key = this.#keys?.byId(id)
      if (key !== undefined) found.set(id, key)
    }
    return found
  }

  async *find(query: AuditQuery): AsyncGenerator<readonly number[], void, undefined> {
    if (this.#index === undefined)
      throw this.#indexProblem ?? new IntegrityError(`${this.name}: no index; rebuild it`)
    yield* this.#index.find(query)
  }

  async remove({ from, to, numbers }: RemovedEntries): Promise<boolean> {
    // Two who find the same mark would set it one after the other: back, below what is gone already.
    return this.#alone(() => {
      if (this.#files.minimumIndex() !== from) return false
      // The tenants' numbers continue where they were, even for a tenant that has no entries left.
      this.#files.replace(MINIMUM_INDEX, `${to}\n${JSON.stringify(Object.fromEntries(numbers))}\n`)
      for (let index = from / TILE_WIDTH; index < to / TILE_WIDTH; index++)
        this.#files.files.remove(this.#bundlePath(index))
      return true
    })
  }

  async finishRemoval(): Promise<void> {
    this.#alone(() => {
      // In the order in which they are removed, the ones that are left stand last.
      for (let index = this.#files.minimumIndex() / TILE_WIDTH - 1; index >= 0; index--) {
        const path = this.#bundlePath(index)
        if (this.#files.files.read(path, 0, 1) === undefined) return
        this.#files.files.remove(path)
      }
    })
  }

  #alone<T>(work: () => T): T {
    return this.#files.files.alone(this.#files.directory, 'audit-retention', work)
  }

  #bundlePath(index: number): string {
    return join(this.#files.directory, tilePath({ level: 'entries', index, width: TILE_WIDTH }))
  }
}

/** Bytes that the first `width` entries of a bundle take; undefined when it has fewer. */
function bundleLength(bytes: Uint8Array, width: number): number | undefined {
  let end = 0
  for (let entry = 0; entry < width; entry++) {
    if (end + 2 > bytes.length) return undefined
    end += 2 + (((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0))
  }
  return end <= bytes.length ? end : undefined
}
