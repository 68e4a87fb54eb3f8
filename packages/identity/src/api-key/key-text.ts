import { crc32 } from 'node:zlib'
import type { RandomSource } from '@postern/core'

/** A key taken apart. */
export interface KeyText {
  /** Names the issuer, so that a secret scanner knows whom to tell: `shop`. */
  readonly prefix: string
  /** `live`, `test`, ... */
  readonly environment: string
  /** Public: names the key in lists, logs and events. */
  readonly id: string
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 12
/** 43 characters of 62 hold 256 bits. */
const SECRET_LENGTH = 43
const SHAPE =
  /^([a-z][a-z0-9]{1,15})_([a-z][a-z0-9]{1,15})_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/

/**
 * A fresh key: `prefix_env_id_secret_crc`. The checksum lets a scanner (and us) tell a key from
 * a look-alike without asking the store.
 */
export function composeKey(
  prefix: string,
  environment: string,
  random: RandomSource,
): { readonly text: string; readonly id: string } {
  const id = base62(random, ID_LENGTH)
  const body = `${prefix}_${environment}_${id}_${base62(random, SECRET_LENGTH)}`
  return { text: `${body}_${checksum(body)}`, id }
}

/** Parses a key strictly; undefined when it is malformed or its checksum does not match. */
export function parseKey(text: string): KeyText | undefined {
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const [, prefix = '', environment = '', id = '', , crc] = match
  return checksum(text.slice(0, text.lastIndexOf('_'))) === crc ? { prefix, environment, id } : undefined
}

/** CRC-32 in six characters of base 62. Not a secret, and no protection against forgery: the HMAC is. */
function checksum(body: string): string {
  let value = crc32(body)
  let text = ''
  for (let i = 0; i < 6; i++) {
    text = DIGITS.charAt(value % 62) + text
    value = Math.floor(value / 62)
  }
  return text
}

/** Characters without bias: a byte of 248 or more is thrown away. */
function base62(random: RandomSource, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += DIGITS.charAt(byte % 62)
    }
  }
  return text
}
