import { dirname, join } from 'node:path'
import { IntegrityError } from '@postern/core'
import { parseCheckpoint } from '../format/checkpoint.ts'
import { decodeBundle } from '../format/entry-bundle.ts'
import { parseNote } from '../format/note.ts'
import { canBeRemoved } from '../format/removable.ts'
import { HASH_BYTES } from '../format/sha256.ts'
import { TILE_WIDTH, type Tile, tilePath } from '../format/tile.ts'
import type { FileLayer } from './file-layer.ts'

/** Names in a log's directory. `checkpoint` and `tile/` are as C2SP tlog-tiles serves them. */
export const CHECKPOINT = 'checkpoint'
/** The latest checkpoint that witnesses cosigned, with their signatures. */
export const WITNESSED = 'checkpoint.witnessed'
export const WAL = 'wal'
export const INDEX = 'index.db'
export const VERIFIER_KEYS = 'verifier-keys'
/** Index of the first entry that retention kept; absent when all are there. */
export const MINIMUM_INDEX = 'minimum-index'
/** Number of each tenant's last entry, signed: made again from the entries when it is not there. */
export const NUMBERS = 'numbers'

/** The numbers of tenants' last entries; undefined when it is something else. */
function parseNumbers(text: string): ReadonlyMap<string, number> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const numbers = new Map<string, number>()
  for (const [tenant, number] of Object.entries(value)) {
    if (!Number.isSafeInteger(number) || number < 0) return undefined
    numbers.set(tenant, number)
  }
  return numbers
}

/** Tiles, entry bundles and checkpoint of a log in a directory. */
export class LogFiles {
  readonly files: FileLayer
  readonly directory: string
  /** Written and not yet synced: files, and directories with new names. */
  readonly #unsynced = new Set<string>()
  /** Folders of partial tiles whose full tile was written. */
  readonly #overtaken: string[] = []

  constructor(files: FileLayer, directory: string) {
    this.files = files
    this.directory = directory
  }

  /** The signed checkpoint that is published, or undefined for a log that has none yet. */
  checkpoint(): string | undefined {
    return this.#text(CHECKPOINT)
  }

  /** The latest checkpoint with cosignatures of witnesses. */
  witnessedCheckpoint(): string | undefined {
    return this.#text(WITNESSED)
  }

  /** A snapshot of the tenants' numbers, unchecked. */
  numbers(): string | undefined {
    return this.#text(NUMBERS)
  }

  #text(name: string): string | undefined {
    const bytes = this.files.read(join(this.directory, name))
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
  }

  /** Index of the first entry that is still kept. */
  minimumIndex(): number {
    return this.removed().minimumIndex
  }

  /**
   * What retention removed: everything below an index, and the number of each tenant's last entry among it.
   * @throws IntegrityError when it is something that retention does not remove
   */
  removed(): { readonly minimumIndex: number; readonly numbers: ReadonlyMap<string, number> } {
    const [index = '', numbers = '{}'] = (this.#text(MINIMUM_INDEX) ?? '0').split('\n')
    const minimumIndex = /^\d{1,15}$/.test(index) ? Number(index) : -1
    const last = parseNumbers(numbers === '' ? '{}' : numbers)
    if (last === undefined || !canBeRemoved(minimumIndex, minimumIndex === 0 ? 0 : this.#publishedSize()))
      throw new IntegrityError(
        `${join(this.directory, MINIMUM_INDEX)} is damaged, or somebody wrote it: retention removes whole bundles, and never the newest`,
      )
    return { minimumIndex, numbers: last }
  }

  /** A checkpoint that cannot be read is reported by whoever needs it. */
  #publishedSize(): number {
    try {
      return Number(parseCheckpoint(parseNote(this.checkpoint() ?? '').text).size)
    } catch (error) {
      if (error instanceof IntegrityError) return Number.POSITIVE_INFINITY
      throw error
    }
  }

  /** Verifier keys this directory names for itself, one a line. */
  verifierKeys(): readonly string[] {
    return (this.#text(VERIFIER_KEYS) ?? '').split('\n').filter(line => line !== '')
  }

  /**
   * Bytes of a tile of hashes; a partial tile may be read from a wider file.
   * @throws IntegrityError when it is missing or too short
   */
  readTile(tile: Tile): Uint8Array {
    const bytes = this.#readTileFile(tile)
    if (bytes.length < tile.width * HASH_BYTES) throw new IntegrityError(`${tilePath(tile)} is too short`)
    return bytes.subarray(0, tile.width * HASH_BYTES)
  }

  /**
   * The first `width` entries of a bundle.
   * @throws IntegrityError when it is missing or damaged
   */
  readBundle(index: number, width: number): Uint8Array[] {
    return decodeBundle(this.#readTileFile({ level: 'entries', index, width }), width)
  }

  #readTileFile(tile: Tile): Uint8Array {
    const bytes = this.tileFile(tile)
    if (bytes === undefined) throw new IntegrityError(`${tilePath(tile)} is missing`)
    return bytes
  }

  /**
   * The file that holds a tile or bundle, possibly a wider one: the partial file is
   * removed once the full one exists.
   */
  tileFile(tile: Tile): Uint8Array | undefined {
    return (
      this.files.read(join(this.directory, tilePath(tile))) ??
      this.files.read(join(this.directory, tilePath({ ...tile, width: TILE_WIDTH })))
    )
  }

  /** Writes a tile or bundle; durable after `sync`. */
  writeTile(tile: Tile, bytes: Uint8Array): void {
    const path = join(this.directory, tilePath(tile))
    for (const changed of this.files.makeDirectory(dirname(path))) this.#unsynced.add(changed)
    this.files.write(path, bytes)
    this.#unsynced.add(path)
    this.#unsynced.add(dirname(path))
    if (tile.width === TILE_WIDTH) this.#overtaken.push(`${path}.p`)
  }

  /** Makes every tile written so far durable. */
  sync(): void {
    for (const path of this.#unsynced) {
      this.files.sync(path)
      this.#unsynced.delete(path)
    }
  }

  /** Replaces a small file atomically: after a power cut it is the old or the new one. Durable on return. */
  replace(name: string, text: string): void {
    const path = join(this.directory, name)
    this.files.write(`${path}.new`, Buffer.from(text))
    this.files.sync(`${path}.new`)
    this.files.rename(`${path}.new`, path)
    this.files.sync(this.directory)
  }

  /** Like `replace`, asynchronously; contents lost in a power cut can be obtained again. */
  async replaceLater(name: string, text: string): Promise<void> {
    const path = join(this.directory, name)
    this.files.write(`${path}.new`, Buffer.from(text))
    await this.files.syncLater(`${path}.new`)
    this.files.rename(`${path}.new`, path)
  }

  /** Removes partial tiles whose full tile is durable (C2SP tlog-tiles, "Partial Tiles"). */
  removeOvertaken(): void {
    for (const folder of this.#overtaken.splice(0)) this.files.removeDirectory(folder)
  }
}
