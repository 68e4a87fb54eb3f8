import { nodeHash } from './merkle-tree.ts'
import { ProofPath } from './proof-path.ts'
import { HASH_BYTES, type Hash, sameBytes } from './sha256.ts'

/** No proof in a tree of at most 2^63 leaves is longer. */
const MAX_PROOF = 63

function wellFormed(hashes: readonly Hash[]): boolean {
  return hashes.length <= MAX_PROOF && hashes.every(hash => hash.length === HASH_BYTES)
}

/**
 * Whether `proof` shows that the leaf with hash `leaf` stands at `index` in the tree of `size` leaves with
 * this root (RFC 9162 section 2.1.3.2). Never throws.
 */
export function verifyInclusion(
  index: bigint,
  size: bigint,
  leaf: Hash,
  proof: readonly Hash[],
  root: Hash,
): boolean {
  if (index < 0n || index >= size || !wellFormed(proof) || leaf.length !== HASH_BYTES) return false
  const path = new ProofPath(index, size - 1n)
  let hash = leaf
  for (const sibling of proof) {
    if (path.isAtRoot) return false
    hash = path.climb() === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling)
  }
  return path.isAtRoot && sameBytes(hash, root)
}

/**
 * Whether `proof` shows that the tree of `newSize` leaves extends the one of `oldSize` (RFC
 * 9162 section 2.1.4.2). As in C2SP tlog-witness, an empty tree is consistent with every tree
 * and needs an empty proof. Never throws.
 */
export function verifyConsistency(
  oldSize: bigint,
  newSize: bigint,
  oldRoot: Hash,
  newRoot: Hash,
  proof: readonly Hash[],
): boolean {
  if (oldSize < 0n || newSize < oldSize || !wellFormed(proof)) return false
  if (oldSize === newSize) return proof.length === 0 && sameBytes(oldRoot, newRoot)
  if (oldSize === 0n) return proof.length === 0
  const isPowerOfTwo = (oldSize & (oldSize - 1n)) === 0n
  const [first, ...rest] = isPowerOfTwo ? [oldRoot, ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  const path = ProofPath.fromOldEdge(oldSize, newSize)
  let fromOld = first
  let fromNew = first
  for (const hash of rest) {
    if (path.isAtRoot) return false
    if (path.climb() === 'left') {
      fromOld = nodeHash(hash, fromOld)
      fromNew = nodeHash(hash, fromNew)
    } else fromNew = nodeHash(fromNew, hash)
  }
  return path.isAtRoot && sameBytes(fromOld, oldRoot) && sameBytes(fromNew, newRoot)
}
