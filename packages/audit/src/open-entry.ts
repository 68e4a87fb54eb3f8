import { decodeLeaf, type Entry, joinEvent } from './entry.ts'
import { leafHash } from './format/merkle-tree.ts'
import type { SubjectKeys } from './key-store.ts'
import { openPersonal } from './seal.ts'

/** Where keys are looked up; undefined when the reader has none. */
export type KeyLookup = Pick<SubjectKeys, 'byId'> | undefined

/**
 * The entry in a leaf's bytes, unsealed where the key is at hand, and the id of that key.
 * @throws IntegrityError when the bytes are no leaf of this place, or the sealed part was changed
 */
export function openEntry(
  bytes: Uint8Array,
  index: number,
  origin: string,
  keys: KeyLookup,
): { readonly entry: Entry; readonly subject: string | undefined } {
  const leaf = decodeLeaf(bytes, index)
  const key = leaf.sealed === undefined ? undefined : keys?.byId(leaf.sealed.key)
  const entry = {
    index: BigInt(index),
    tenant: leaf.tenant,
    number: leaf.number,
    leafHash: Buffer.from(leafHash(bytes)).toString('hex'),
    bytes,
  }
  if (leaf.sealed === undefined)
    return { entry: { ...entry, event: leaf.event, personal: 'none' }, subject: undefined }
  const subject = leaf.sealed.key
  if (key === undefined) return { entry: { ...entry, event: leaf.event, personal: 'erased' }, subject }
  const personal = openPersonal(leaf.sealed, key.key, { origin, index })
  return { entry: { ...entry, event: joinEvent(leaf.event, personal), personal: 'open' }, subject }
}
