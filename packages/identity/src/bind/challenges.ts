import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { RandomSource } from '@postern/core'

/** Challenges for proofs of a session's key. Nothing is stored until one is answered. */
export interface Challenges {
  issue(session: string, now: number): string
  /**
   * Whether a challenge was issued for this session within five minutes.
   * @param within milliseconds, where less than that is asked
   */
  isFresh(challenge: string, session: string, now: number, within?: number): boolean
}

const LIFETIME = 300_000

/** @param purpose what the challenges are for: one of another purpose is refused */
export function challenges(secret: Uint8Array, random: RandomSource, purpose: string): Challenges {
  const key = createSecretKey(secret)
  const macOf = (session: string, text: string): string =>
    createHmac('sha256', key)
      .update(`postern bind challenge\n${purpose}\n${session}\n${text}`)
      .digest('base64url')
  return {
    issue: (session, now) => {
      // Random, for two of one millisecond must differ: each is answered once.
      const text = `${Math.floor(now).toString(36)}.${Buffer.from(random.bytes(9)).toString('base64url')}`
      return `${text}.${macOf(session, text)}`
    },
    isFresh: (challenge, session, now, within = LIFETIME) => {
      const [time = '', salt = '', mac = ''] = challenge.split('.', 3)
      const issued = Number.parseInt(time, 36)
      if (
        !/^[0-9a-z]{1,10}$/.test(time) ||
        issued > now + 1_000 ||
        issued + Math.min(within, LIFETIME) <= now
      )
        return false
      const wanted = Buffer.from(macOf(session, `${time}.${salt}`))
      const given = Buffer.from(mac)
      return wanted.length === given.length && timingSafeEqual(wanted, given)
    },
  }
}
