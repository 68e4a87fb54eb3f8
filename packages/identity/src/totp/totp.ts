import { createHmac } from 'node:crypto'
import { equalText } from '../database/identity-secret.ts'

/** Seconds a code is for (RFC 6238 section 5.2). */
const STEP = 30
const DIGITS = 6
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * HOTP (RFC 4226 section 5.3).
 * @param digits 6 to 8
 */
export function hotp(
  secret: Uint8Array,
  counter: number,
  digits: number = DIGITS,
  algorithm: string = 'sha1',
): string {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac(algorithm, secret).update(message).digest()
  const offset = (mac.at(-1) ?? 0) & 0xf
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** Which step of TOTP (RFC 6238 section 4.2) a moment falls into. @param now epoch milliseconds */
export function totpStep(now: number): number {
  return Math.floor(now / 1_000 / STEP)
}

/**
 * The step whose code this is: the present one or one beside it, for clocks that differ by up to 30 s.
 * All three are compared, whatever matches.
 * @returns undefined when it is the code of none
 */
export function matchTotp(secret: Uint8Array, code: string, now: number): number | undefined {
  const present = totpStep(now)
  let found: number | undefined
  for (const step of [present - 1, present, present + 1]) {
    if (equalText(hotp(secret, Math.max(0, step)), code)) found = step
  }
  return found
}

/** RFC 4648 base32 without padding: how authenticator apps take a secret. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((held >>> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + ALPHABET.charAt((held << (5 - bits)) & 31) : text
}

/** The URI that authenticator apps read from a QR code. */
export function totpUri(issuer: string, account: string, secret: Uint8Array): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`
}
