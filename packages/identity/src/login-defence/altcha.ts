import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, RandomSource } from '@postern/core'

/** A challenge as the ALTCHA widget takes it. */
export interface AltchaChallenge {
  readonly algorithm: 'SHA-256'
  /** SHA-256 of salt and the number to be found, hex. */
  readonly challenge: string
  readonly maxnumber: number
  /** Random, and what is signed along: when it ends, for whom it is, how hard it was. */
  readonly salt: string
  readonly signature: string
}

export interface AltchaOptions {
  /** At least 32 bytes, the same on every instance. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly random: RandomSource
}

/** Milliseconds a challenge may be solved in. */
const LIFETIME = 5 * 60_000
const MAX_USED = 50_000
const MAX_PAYLOAD = 1_000

/**
 * Proof of work that the ALTCHA widget (and any script of ten lines) can do: find the number whose SHA-256
 * with the salt is the challenge. On average half of `maxnumber` hashes. A solution counts once, for the
 * client and account it was made for, and only if it was as hard as is asked for now.
 */
export class Altcha {
  readonly #options: AltchaOptions
  readonly #used = new Map<string, number>()

  constructor(options: AltchaOptions) {
    this.#options = options
  }

  /** @param subject whom the challenge is for: nothing that may not be hashed and shown */
  challenge(subject: string, maxnumber: number): AltchaChallenge {
    const random = Buffer.from(this.#options.random.bytes(16))
    const number = Math.floor((random.readUInt32BE(12) / 2 ** 32) * (maxnumber + 1))
    const expires = Math.ceil((this.#options.clock.now() + LIFETIME) / 1_000)
    const salt = `${random.subarray(0, 12).toString('hex')}?expires=${expires}&max=${maxnumber}&for=${subjectHash(subject)}&`
    const challenge = createHash('sha256').update(`${salt}${number}`).digest('hex')
    return { algorithm: 'SHA-256', challenge, maxnumber, salt, signature: this.#sign(challenge) }
  }

  /**
   * Takes a solution once.
   * @param payload base64 of `{algorithm, challenge, number, salt, signature}`, as the widget sends it
   * @param maxnumber how hard it must have been at least
   */
  redeem(payload: string, subject: string, maxnumber: number): boolean {
    const solution = parse(payload)
    if (solution === undefined) return false
    const { challenge, number, salt, signature } = solution
    const now = this.#options.clock.now()
    const wanted = /^[0-9a-f]{24}\?expires=(\d{1,12})&max=(\d{1,9})&for=([\w-]{22})&$/.exec(salt)
    if (wanted === null || Number(wanted[1]) * 1_000 <= now || Number(wanted[2]) < maxnumber) return false
    if (wanted[3] !== subjectHash(subject) || number > Number(wanted[2])) return false
    if (!isEqual(this.#sign(challenge), signature)) return false
    if (createHash('sha256').update(`${salt}${number}`).digest('hex') !== challenge) return false
    return this.#use(challenge, now)
  }

  /** Oldest first: all challenges live equally long, so the map is nearly in the order of their end. */
  #use(challenge: string, now: number): boolean {
    for (const [used, until] of this.#used) {
      if (until > now) break
      this.#used.delete(used)
    }
    if (this.#used.has(challenge) || this.#used.size >= MAX_USED) return false
    this.#used.set(challenge, now + LIFETIME + 1_000)
    return true
  }

  #sign(challenge: string): string {
    return createHmac('sha256', this.#options.secret).update(`postern altcha\n${challenge}`).digest('hex')
  }
}

function subjectHash(subject: string): string {
  return createHash('sha256').update(subject).digest('base64url').slice(0, 22)
}

function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

interface Solution {
  readonly challenge: string
  readonly number: number
  readonly salt: string
  readonly signature: string
}

function parse(payload: string): Solution | undefined {
  if (payload.length > MAX_PAYLOAD) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { algorithm, challenge, number, salt, signature } = value as Readonly<Record<string, unknown>>
  if (algorithm !== 'SHA-256' || typeof challenge !== 'string' || typeof salt !== 'string') return undefined
  if (
    typeof signature !== 'string' ||
    typeof number !== 'number' ||
    !Number.isSafeInteger(number) ||
    number < 0
  )
    return undefined
  return { challenge, number, salt, signature }
}
