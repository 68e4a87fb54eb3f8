import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, RandomSource } from '@postern/core'

export interface ProofOfWorkOptions {
  /** At least 32 bytes, the same on every instance. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly random: RandomSource
  /** Leading zero bits a solution needs: each one doubles the work. */
  readonly difficulty: number
  /** Milliseconds a puzzle may be solved in. */
  readonly puzzleTtl: number
  /** Milliseconds a clearance holds. */
  readonly clearanceTtl: number
}

const MAX_TOKEN = 200
const MAX_USED = 50_000

/**
 * Puzzles that are cheap for one browser and expensive for a flood (hashcash over SHA-256). Every
 * part of a token is signed: its client, its expiry, its difficulty. A solution is accepted once and
 * gives a clearance for the same client.
 */
export class ProofOfWork {
  readonly #options: ProofOfWorkOptions
  /** Solved puzzles, with the time at which their token expires. */
  readonly #used = new Map<string, number>()

  constructor(options: ProofOfWorkOptions) {
    this.#options = options
  }

  get difficulty(): number {
    return this.#options.difficulty
  }

  get clearanceTtl(): number {
    return this.#options.clearanceTtl
  }

  /** A fresh puzzle for this client. */
  puzzle(client: string): string {
    const nonce = Buffer.from(this.#options.random.bytes(12)).toString('base64url')
    const expires = Math.ceil(this.#options.clock.now() + this.#options.puzzleTtl)
    return this.#sign('p', client, `${this.#options.difficulty}.${expires}.${nonce}`)
  }

  /**
   * Accepts `puzzle:counter` once.
   * @returns a clearance for the same client; undefined for an invalid solution
   */
  redeem(solution: string, client: string): string | undefined {
    const colon = solution.lastIndexOf(':')
    const puzzle = solution.slice(0, Math.max(0, colon))
    if (!/^\d{1,15}$/.test(solution.slice(colon + 1))) return undefined
    const parts = this.#open('p', client, puzzle)
    if (parts === undefined) return undefined
    const [difficulty = '', expires = '', nonce = ''] = parts
    const now = this.#options.clock.now()
    if (Number(difficulty) < this.#options.difficulty || Number(expires) <= now) return undefined
    if (this.#used.has(nonce) || !isSolution(solution, Number(difficulty))) return undefined
    this.#forgetEnded(now)
    // Full only when 50,000 solutions arrived within the lifetime of one puzzle; no
    // more are accepted then until some expire.
    if (this.#used.size >= MAX_USED) return undefined
    this.#used.set(nonce, Number(expires))
    return this.#sign('c', client, `${Math.ceil(now + this.#options.clearanceTtl)}`)
  }

  /** Whether a clearance belongs to this client and is still valid. */
  isCleared(clearance: string, client: string): boolean {
    const [expires = ''] = this.#open('c', client, clearance) ?? []
    return Number(expires) > this.#options.clock.now()
  }

  /** Oldest first: all puzzles have the same lifetime, so the map is in order of expiry. */
  #forgetEnded(now: number): void {
    for (const [nonce, expires] of this.#used) {
      if (expires > now) return
      this.#used.delete(nonce)
    }
  }

  #sign(purpose: 'p' | 'c', client: string, payload: string): string {
    return `${payload}.${this.#mac(purpose, client, payload).toString('base64url')}`
  }

  #open(purpose: 'p' | 'c', client: string, token: string): readonly string[] | undefined {
    if (token.length > MAX_TOKEN) return undefined
    const dot = token.lastIndexOf('.')
    const payload = token.slice(0, Math.max(0, dot))
    const given = Buffer.from(token.slice(dot + 1), 'base64url')
    const wanted = this.#mac(purpose, client, payload)
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? payload.split('.') : undefined
  }

  #mac(purpose: string, client: string, payload: string): Buffer {
    return createHmac('sha256', this.#options.secret)
      .update(`postern pow\n${purpose}\n${client}\n${payload}`)
      .digest()
  }
}

/** Whether the SHA-256 of `puzzle:counter` begins with that many zero bits. */
export function isSolution(solution: string, difficulty: number): boolean {
  const digest = createHash('sha256').update(solution).digest()
  const whole = difficulty >> 3
  for (let i = 0; i < whole; i++) if (digest[i] !== 0) return false
  const rest = difficulty & 7
  return rest === 0 || (digest[whole] ?? 0xff) >> (8 - rest) === 0
}
