import { IntegrityError } from '@postern/core'

/** The largest entry a bundle can hold (C2SP tlog-tiles: 16-bit lengths). */
const MAX_ENTRY_BYTES = 65_535

/** Entries as a bundle: each with its length in two bytes, big-endian, before it. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(entries.reduce((total, entry) => total + 2 + entry.length, 0))
  let offset = 0
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new RangeError(`an entry of ${entry.length} bytes does not fit a bundle`)
    offset = bundle.writeUInt16BE(entry.length, offset)
    bundle.set(entry, offset)
    offset += entry.length
  }
  return bundle
}

/**
 * The entries of a bundle.
 * @param width how many there must be
 * @throws IntegrityError when the bytes are not exactly that many entries
 */
export function decodeBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let offset = 0
  while (offset < bundle.length && entries.length < width) {
    if (offset + 2 > bundle.length) throw new IntegrityError(`entry bundle is cut off at byte ${offset}`)
    const length = ((bundle[offset] ?? 0) << 8) | (bundle[offset + 1] ?? 0)
    const end = offset + 2 + length
    if (end > bundle.length)
      throw new IntegrityError(`entry bundle is cut off in the entry at byte ${offset}`)
    entries.push(bundle.subarray(offset + 2, end))
    offset = end
  }
  if (entries.length < width)
    throw new IntegrityError(`entry bundle has ${entries.length} entries, not ${width}`)
  return entries
}
