import { leafHash } from '../format/merkle-tree.ts'
import { decodeLeaf, type Entry, joinEvent, type Leaf } from './entry.ts'
import type { SubjectKeys } from './key-store.ts'
import { openPersonal } from './seal.ts'

/** Where keys are looked up; undefined when the reader has no keys. */
export type KeyLookup = Pick<SubjectKeys, 'byId'> | undefined

/**
 * The entry in a leaf's bytes, unsealed where the key is available, and the id of that key.
 * @throws IntegrityError when the bytes are not a leaf of this index, or the sealed part was changed
 */
export function openEntry(
  bytes: Uint8Array,
  index: number,
  origin: string,
  keys: KeyLookup,
): { readonly entry: Entry; readonly subject: string | undefined } {
  const leaf = decodeLeaf(bytes, index)
  return { entry: unsealEntry(leaf, bytes, origin, keys), subject: leaf.sealed?.key }
}

/**
 * The entry that a leaf is.
 * @param bytes of the leaf
 * @throws IntegrityError when the sealed part was changed
 */
export function unsealEntry(leaf: Leaf, bytes: Uint8Array, origin: string, keys: KeyLookup): Entry {
  const { index, tenant, number, event, sealed } = leaf
  const entry = {
    index: BigInt(index),
    tenant,
    number,
    leafHash: Buffer.from(leafHash(bytes)).toString('hex'),
    bytes,
  }
  if (sealed === undefined) return { ...entry, event, personal: 'none' }
  const key = keys?.byId(sealed.key)
  if (key === undefined) return { ...entry, event, personal: 'erased' }
  const personal = openPersonal(sealed, key, { origin, index })
  return { ...entry, event: joinEvent(event, personal), personal: 'open' }
}
