import { createHash } from 'node:crypto'
import { ristretto255 } from '@noble/curves/ed25519.js'
import type { HmacKey } from '../primitive/hmac-key.ts'

const Point = ristretto255.Point

/**
 * One part of hardening a password: the blinded element times this part's scalar for this user. The
 * three results add up to the element times the user's secret scalar, which no holder knows (RFC 9497,
 * mode OPRF, with a key shared additively).
 * @returns undefined when the bytes are not an element of the group, or the identity (RFC 9497 section 2.1)
 */
export function hardenParts(prf: HmacKey, user: string, blinded: Uint8Array): Uint8Array | undefined {
  let element: InstanceType<typeof Point>
  try {
    element = Point.fromBytes(blinded)
  } catch {
    return undefined
  }
  if (element.is0()) return undefined
  return element.multiply(partScalar(prf, user)).toBytes()
}

/**
 * The scalar of a part for a user: 512 bits of output reduced by the group order, so
 * that the bias is negligible.
 */
function partScalar(prf: HmacKey, user: string): bigint {
  const seed = prf.digest(Buffer.from(user))
  const wide = createHash('sha512').update('postern vault harden 1').update(seed).digest()
  const scalar = BigInt(`0x${wide.toString('hex')}`) % Point.Fn.ORDER
  return scalar === 0n ? 1n : scalar
}
