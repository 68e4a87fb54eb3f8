import { EMPTY_ROOT, nodeHash } from '../format/merkle-tree.ts'
import { HASH_BYTES, type Hash } from '../format/sha256.ts'
import { hashWithin, TILE_WIDTH, type Tile } from '../format/tile.ts'

interface Edge {
  readonly hashes: Buffer
  width: number
  index: number
}

/**
 * The right edge of a growing tree: the one partial tile of each level. Enough to append, to compute
 * the root, and to write every tile once.
 */
export class TileTree {
  readonly #edges: Edge[] = []
  readonly #onFull: (tile: Tile, hashes: Uint8Array) => void
  #size = 0

  /** @param onFull called with every tile that became full; the bytes are reused afterwards */
  constructor(onFull: (tile: Tile, hashes: Uint8Array) => void) {
    this.#onFull = onFull
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size
  }

  /**
   * Resumes a tree of `size` leaves.
   * @param read gives the partial tiles of its right edge
   */
  load(size: number, read: (tile: Tile) => Uint8Array): void {
    this.#edges.length = 0
    for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
      const edge = this.#edge(level)
      edge.index = Math.floor(hashes / TILE_WIDTH)
      edge.width = hashes % TILE_WIDTH
      if (edge.width > 0) edge.hashes.set(read({ level, index: edge.index, width: edge.width }))
    }
    this.#size = size
  }

  #edge(level: number): Edge {
    let edge = this.#edges[level]
    if (edge === undefined) {
      edge = { hashes: Buffer.alloc(TILE_WIDTH * HASH_BYTES), width: 0, index: 0 }
      this.#edges[level] = edge
    }
    return edge
  }

  append(leaf: Hash): void {
    this.#push(0, leaf)
    this.#size++
  }

  #push(level: number, hash: Hash): void {
    const edge = this.#edge(level)
    edge.hashes.set(hash, edge.width * HASH_BYTES)
    edge.width++
    if (edge.width < TILE_WIDTH) return
    this.#onFull({ level, index: edge.index, width: TILE_WIDTH }, edge.hashes)
    const root = hashWithin(edge.hashes, 0, TILE_WIDTH)
    edge.width = 0
    edge.index++
    this.#push(level + 1, root)
  }

  /** The partial tiles of the right edge, from the leaves up. */
  partialTiles(): readonly { readonly tile: Tile; readonly hashes: Uint8Array }[] {
    return this.#edges.flatMap(({ hashes, width, index }, level) =>
      width === 0 ? [] : [{ tile: { level, index, width }, hashes: hashes.subarray(0, width * HASH_BYTES) }],
    )
  }

  /** The root, from the perfect subtrees of the right edge, smallest first. */
  root(): Hash {
    let root: Hash | undefined
    for (const { hashes, width } of this.#edges) {
      for (let end = width; end > 0; ) {
        const count = end & -end
        const subtree = hashWithin(hashes, end - count, count)
        root = root === undefined ? subtree : nodeHash(subtree, root)
        end -= count
      }
    }
    return root ?? EMPTY_ROOT
  }
}
