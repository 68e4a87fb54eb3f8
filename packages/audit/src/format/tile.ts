import { type NodeSource, nodeHash } from './merkle-tree.ts'
import { HASH_BYTES, type Hash } from './sha256.ts'

/** Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles: height 8). */
export const TILE_WIDTH = 256

/**
 * A slice of the tree: `width` consecutive hashes at height `8 * level`; level
 * `entries` holds the entries themselves.
 */
export interface Tile {
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number
}

/**
 * The path of a tile under a log's prefix (C2SP tlog-tiles): `tile/0/x001/x234/067`, `tile/entries/000.p/17`.
 */
export function tilePath({ level, index, width }: Tile): string {
  let rest = index
  let path = String(rest % 1_000).padStart(3, '0')
  while (rest >= 1_000) {
    rest = Math.floor(rest / 1_000)
    path = `x${String(rest % 1_000).padStart(3, '0')}/${path}`
  }
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const PATH =
  /^tile\/(entries|0|[1-9]|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d?|1\d\d|2[0-4]\d|25[0-5]))?$/

/** The tile that a path names, or undefined when the path is not exactly one that `tilePath` writes. */
export function parseTilePath(path: string): Tile | undefined {
  const parts = PATH.exec(path)
  if (parts === null) return undefined
  const digits = (parts[2] ?? '').replaceAll(/[x/]/g, '')
  if (digits.length > 3 && digits.startsWith('000')) return undefined
  return {
    level: parts[1] === 'entries' ? 'entries' : Number(parts[1]),
    index: Number(digits),
    width: parts[3] === undefined ? TILE_WIDTH : Number(parts[3]),
  }
}

/**
 * How many hashes the tile at `level` and `index` has in a tree of `size` leaves; 0 when it does not exist.
 */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** The hash of `count` (a power of two) consecutive hashes of a tile, from the `first`. */
export function hashWithin(tile: Uint8Array, first: number, count: number): Hash {
  if (count === 1) return tile.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES)
  const half = count / 2
  return nodeHash(hashWithin(tile, first, half), hashWithin(tile, first + half, half))
}

/** Reads the bytes of a tile; a partial one may be answered by the first hashes of a wider one. */
export type ReadTile = (tile: Tile) => Uint8Array | Promise<Uint8Array>

/** The nodes of a tree of `size` leaves, computed from its tiles. Keeps the 64 tiles last used. */
export function tileNodes(read: ReadTile, size: number): NodeSource {
  const cache = new Map<string, Uint8Array>()
  const load = async (level: number, index: number): Promise<Uint8Array> => {
    const key = `${level}/${index}`
    const known = cache.get(key)
    if (known !== undefined) return known
    const tile = await read({ level, index, width: tileWidth(level, index, size) })
    if (cache.size >= 64) cache.delete(cache.keys().next().value ?? '')
    cache.set(key, tile)
    return tile
  }
  return {
    async node(level, index) {
      const tileLevel = Math.floor(level / 8)
      const count = 2 ** (level - 8 * tileLevel)
      const first = index * count
      const tile = await load(tileLevel, Math.floor(first / TILE_WIDTH))
      return hashWithin(tile, first % TILE_WIDTH, count)
    },
  }
}
