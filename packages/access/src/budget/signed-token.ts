import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto'
import { ConfigError, givenText } from '@postern/core'

/** A key that signs claims or grants, and the number the database knows it by. */
export interface SigningKey {
  /** 1 to 32767. A new key gets a new number; the old one is removed once what it signed has expired. */
  readonly id: number
  /** At least 32 random bytes. */
  readonly secret: Uint8Array
}

const KEY_HINT = 'a number, a colon and 32 random bytes in base64: echo "1:$(openssl rand -base64 32)"'

/**
 * A key as it is kept in an environment variable: its number, a colon, and the secret in base64.
 * @throws ConfigError when it is something else; never with what was written
 */
export function readSigningKey(written: SigningKey | string, place: string): SigningKey {
  if (typeof written === 'object' && written !== null) {
    checkSigningKey(written, place)
    return written
  }
  const text = givenText(written, place, KEY_HINT).trim()
  const [, id = '', secret = ''] = /^(\d{1,5}):([A-Za-z0-9+/_-]{1,1000}={0,2})$/.exec(text) ?? []
  const key = { id: Number(id), secret: new Uint8Array(Buffer.from(secret, 'base64')) }
  if (id === '') throw new ConfigError({ place, problem: 'is not a key', hint: KEY_HINT })
  checkSigningKey(key, place)
  return key
}

/** @throws ConfigError when the number or the length is out of bounds */
export function checkSigningKey(key: SigningKey, place: string): void {
  if (!Number.isInteger(key.id) || key.id < 1 || key.id > 32_767) {
    throw new ConfigError({ place: `${place}.id`, problem: 'is not a whole number from 1 to 32767' })
  }
  if (key.secret.length < 32) {
    throw new ConfigError({
      place: `${place}.secret`,
      problem: `has ${key.secret.length} bytes`,
      hint: 'use at least 32 random bytes, for example from: openssl rand -base64 32',
    })
  }
}

/**
 * Fields joined by `|` and their HMAC-SHA-256 (RFC 2104) as the last one. The first field separates kinds of
 * tokens, so that none passes for another. Fields hold no `|`: text from outside is written as hex.
 */
export function signFields(fields: readonly string[], secret: Uint8Array): string {
  const text = fields.join('|')
  return `${text}|${createHmac('sha256', secret).update(text).digest('hex')}`
}

/** Signs as `signFields` does, with one key many times: a third of the cost, for the key is prepared once. */
export function fieldSigner(secret: Uint8Array): (fields: readonly string[]) => string {
  const [inner, outer] = hmacPads(secret)
  return fields => {
    const text = fields.join('|')
    const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text, 'utf8')]), 'buffer')
    return `${text}|${hash('sha256', Buffer.concat([outer, digest]), 'hex')}`
  }
}

/**
 * The key of RFC 2104, padded to a block of SHA-256 and combined with both constants: an HMAC is
 * two hashes from there, which SQL can compute as well.
 */
export function hmacPads(secret: Uint8Array): readonly [Buffer, Buffer] {
  const block = Buffer.alloc(64)
  block.set(secret.length > 64 ? createHash('sha256').update(secret).digest() : secret)
  return [Buffer.from(block.map(byte => byte ^ 0x36)), Buffer.from(block.map(byte => byte ^ 0x5c))]
}

/** The fields of a token whose signature holds; undefined otherwise. Compares in constant time. */
export function openFields(
  token: string,
  count: number,
  secretOf: (fields: readonly string[]) => Uint8Array | undefined,
): readonly string[] | undefined {
  if (token.length > 4_096) return undefined
  const fields = token.split('|')
  if (fields.length !== count + 1) return undefined
  const secret = secretOf(fields)
  if (secret === undefined) return undefined
  const given = Buffer.from(fields[count] ?? '', 'hex')
  const expected = createHmac('sha256', secret).update(fields.slice(0, count).join('|')).digest()
  return given.length === expected.length && timingSafeEqual(given, expected)
    ? fields.slice(0, count)
    : undefined
}

/** Text as hex, so that it can be a field. */
export function hexOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex')
}

/** The text of a field written by `hexOf`. */
export function textOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('utf8')
}
