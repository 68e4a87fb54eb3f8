/** One of the three keyed functions whose outputs, XORed, are a record key. */
export type Part = 'a' | 'b' | 'c'
/** Number of a holder: there are three, and any two of them can open a record. */
export type HolderId = 1 | 2 | 3

/** Bytes of one output of a part. */
export const PART_BYTES = 32

export const HOLDERS: readonly HolderId[] = [1, 2, 3]

/**
 * Two parts each: any two holders have all three, none alone does, and two answers overlap in exactly one.
 */
export const PARTS_OF: Readonly<Record<HolderId, readonly [Part, Part]>> = {
  1: ['b', 'c'],
  2: ['a', 'c'],
  3: ['a', 'b'],
}

/** Who makes a part when an epoch begins, and to whom it is sent: no machine ever has all three. */
export const DEALERS: Readonly<Record<Part, { readonly from: HolderId; readonly to: HolderId }>> = {
  a: { from: 3, to: 2 },
  b: { from: 1, to: 3 },
  c: { from: 2, to: 1 },
}

/** XOR of three outputs of the same length. */
export function combineParts(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  if (a.length !== b.length || b.length !== c.length) throw new RangeError('parts must have one length')
  const out = new Uint8Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = (a[i] ?? 0) ^ (b[i] ?? 0) ^ (c[i] ?? 0)
  return out
}
