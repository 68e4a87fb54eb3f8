import { timingSafeEqual } from 'node:crypto'
import type { RandomSource } from '@postern/core'
import type { KeyedHash } from './keyed-hash.ts'

/** Accounts that one browser is remembered for; the one used longest ago is forgotten. */
const MAX_ACCOUNTS = 8
/**
 * Cookies of the name that are read. On plain HTTP a subdomain or another port can plant one, which may come
 * first: it must not take the place of the browser's own.
 */
const MAX_COOKIES = 8
const ENTRY = /^[\w-]{22}[\w-]{22}$/

/** A fresh id of a device: 128 random bits as 22 characters. */
export function newDevice(random: RandomSource): string {
  return Buffer.from(random.bytes(16)).toString('base64url')
}

/**
 * The device cookie is a list of ids, each signed for one account: nobody can make one, and a
 * cookie of one account is worth nothing at another. Whether an id is known, and what its
 * lane has left, is in the account's record.
 */
export function deviceFor(cookies: readonly string[], account: string, hash: KeyedHash): string | undefined {
  for (const entry of entriesOf(cookies)) {
    const id = entry.slice(0, 22)
    if (timingSafeEqual(Buffer.from(entry.slice(22)), Buffer.from(hash.of('device', `${account}\n${id}`))))
      return id
  }
  return undefined
}

/** The cookie's value with this account's device in front. */
export function withDevice(
  cookies: readonly string[],
  account: string,
  device: string,
  hash: KeyedHash,
): string {
  const own = device + hash.of('device', `${account}\n${device}`)
  const others = entriesOf(cookies).filter(
    entry => entry !== own && hash.of('device', `${account}\n${entry.slice(0, 22)}`) !== entry.slice(22),
  )
  return [own, ...new Set(others)].slice(0, MAX_ACCOUNTS).join('.')
}

function entriesOf(cookies: readonly string[]): readonly string[] {
  return cookies
    .slice(0, MAX_COOKIES)
    .flatMap(cookie => cookie.split('.', MAX_ACCOUNTS))
    .filter(entry => ENTRY.test(entry))
}
