import type { KeyObject } from 'node:crypto'

/**
 * Small primes for which 65537 generates a proper subgroup: a modulus in all of
 * those subgroups is not an accident.
 */
const PRIMES: readonly number[] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

/**
 * Whether an RSA key verifies what others can sign: below 2,048 bits, a public exponent below 65,537 (FIPS
 * 186-5 section 5.1; with 1 every message is its own signature), or made by the library whose keys can be
 * factored (ROCA, CVE-2017-15361: Nemec and others, The Return of Coppersmith's Attack, section 2).
 */
export function isWeakRsa(key: KeyObject): boolean {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (modulusLength === undefined) return false
  if (modulusLength < 2_048 || publicExponent === undefined || publicExponent < 65_537n) return true
  const { n } = key.export({ format: 'jwk' })
  const modulus = BigInt(`0x${Buffer.from(n ?? '', 'base64url').toString('hex')}`)
  return PRIMES.every(prime => isPowerOf65537(Number(modulus % BigInt(prime)), prime))
}

function isPowerOf65537(value: number, prime: number): boolean {
  const generator = 65_537 % prime
  let power = 1
  for (let i = 0; i < prime; i++) {
    if (power === value) return true
    power = (power * generator) % prime
  }
  return false
}
