import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

/**
 * `salt:key`, hex. Hashed as it should be; that anybody may try as often as they like is the shop's mistake.
 */
export function hashPassword(password: string, salt: string = randomBytes(16).toString('hex')): string {
  return `${salt}:${scryptSync(password, salt, 32).toString('hex')}`
}

export function isPassword(password: string, stored: string): boolean {
  const [salt = '', key = ''] = stored.split(':')
  const expected = Buffer.from(key, 'hex')
  const actual = scryptSync(password, salt, 32)
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
