import { HASH_BYTES, type Hash, sha256 } from './sha256.ts'

const interior = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** RFC 6962 section 2.1: `SHA-256(0x00 || entry)`. */
export function leafHash(entry: Uint8Array): Hash {
  const prefixed = Buffer.allocUnsafe(entry.length + 1)
  prefixed[0] = 0
  prefixed.set(entry, 1)
  return sha256(prefixed)
}

/** RFC 6962 section 2.1: `SHA-256(0x01 || left || right)`. */
export function nodeHash(left: Hash, right: Hash): Hash {
  interior.set(left, 1)
  interior.set(right, 1 + HASH_BYTES)
  return sha256(interior)
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0))

/**
 * Gives the hash of the perfect subtree over the leaves `[index * 2^level, (index + 1) * 2^level)`.
 * All hashes of a tree are made of these.
 */
export interface NodeSource {
  node(level: number, index: number): Hash | Promise<Hash>
}

/** The largest power of two below `n`, for n of at least 2 (the `k` of RFC 6962 section 2.1). */
function splitPoint(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/**
 * `MTH(D[start:end])` for ranges that occur in a tree: `start` is a multiple of the
 * smallest power of two not below the length.
 */
async function rangeHash(source: NodeSource, start: number, end: number): Promise<Hash> {
  const length = end - start
  if (length === 0) return EMPTY_ROOT
  const level = Math.log2(length)
  if (Number.isInteger(level)) return await source.node(level, start / length)
  const k = splitPoint(length)
  return nodeHash(await rangeHash(source, start, start + k), await rangeHash(source, start + k, end))
}

/** The root of the tree of the first `size` leaves. */
export function treeRoot(source: NodeSource, size: number): Promise<Hash> {
  return rangeHash(source, 0, size)
}

/**
 * `PATH(index, D[size])` of RFC 6962 section 2.1.1: the siblings from the leaf up to the root.
 * @throws RangeError when there is no such leaf
 */
export async function inclusionProof(
  source: NodeSource,
  index: number,
  size: number,
): Promise<readonly Hash[]> {
  if (!(index >= 0 && index < size)) throw new RangeError(`no leaf ${index} in a tree of size ${size}`)
  const path: Hash[] = []
  let start = 0
  let end = size
  const siblings: [number, number][] = []
  while (end - start > 1) {
    const k = splitPoint(end - start)
    if (index - start < k) {
      siblings.push([start + k, end])
      end = start + k
    } else {
      siblings.push([start, start + k])
      start += k
    }
  }
  for (const [from, to] of siblings.reverse()) path.push(await rangeHash(source, from, to))
  return path
}

/**
 * `PROOF(oldSize, D[size])` of RFC 6962 section 2.1.2. Empty from an empty tree and between equal sizes.
 * @throws RangeError when the old tree is larger than the new
 */
export async function consistencyProof(
  source: NodeSource,
  oldSize: number,
  size: number,
): Promise<readonly Hash[]> {
  if (!(oldSize >= 0 && oldSize <= size)) throw new RangeError(`size ${oldSize} is not below ${size}`)
  if (oldSize === 0 || oldSize === size) return []
  const ranges: [number, number][] = []
  let start = 0
  let end = size
  // Invariant: the old tree ends inside (start, end]; `whole` says whether [start, end)
  // began at 0 on the old tree's own edge.
  let whole = true
  while (oldSize !== end) {
    const k = splitPoint(end - start)
    if (oldSize - start <= k) {
      ranges.push([start + k, end])
      end = start + k
    } else {
      ranges.push([start, start + k])
      start += k
      whole = false
    }
  }
  if (!whole) ranges.push([start, end])
  const proof: Hash[] = []
  for (const [from, to] of ranges.reverse()) proof.push(await rangeHash(source, from, to))
  return proof
}
