import { setTimeout as pause } from 'node:timers/promises'
import { type Clock, ConfigError, systemClock } from '@postern/core'
import { AnswerPace } from './answer-pace.ts'
import {
  type Argon2Cost,
  argon2idHash,
  DEFAULT_COST,
  parseStoredHash,
  type StoredHash,
  verifyStoredHash,
} from './stored-hash.ts'
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts'

export interface PasswordOptions {
  readonly cost?: Argon2Cost
  readonly queue?: WorkQueueOptions
  /** Fewest characters of a new password. Default 8 (NIST SP 800-63B-4 with a second factor; 15 without). */
  readonly minLength?: number
  /** Whether a new password is too common to be taken; login defence has such a filter. Default: none is. */
  readonly isCommon?: (password: string) => boolean | Promise<boolean>
  readonly clock?: Clock
  /** Waits so many milliseconds. Default: a timer. */
  readonly wait?: (milliseconds: number) => Promise<unknown>
}

/** Why a new password is not taken. */
export type PasswordFault = 'too-short' | 'too-long' | 'common' | 'contains-account'

/** What a verification found. */
export interface PasswordCheck {
  readonly matches: boolean
  /** A better hash of the same password, to store in place of the old one. */
  readonly upgrade?: string
}

const MAX_LENGTH = 1_024

/**
 * Hashes and verifies passwords: argon2id for new ones; bcrypt, scrypt and PBKDF2 are verified and replaced
 * at the next sign-in. All of it runs in one bounded queue.
 */
export class Passwords {
  readonly #cost: Argon2Cost
  readonly #queue: WorkQueue
  readonly #minLength: number
  readonly #isCommon: (password: string) => boolean | Promise<boolean>
  readonly #clock: Clock
  readonly #wait: (milliseconds: number) => Promise<unknown>
  readonly #pace = new AnswerPace()
  #decoy: Promise<StoredHash> | undefined

  /** @throws ConfigError for work factors that no hash may have */
  constructor(options: PasswordOptions = {}) {
    this.#cost = options.cost ?? DEFAULT_COST
    this.#queue = new WorkQueue(options.queue)
    this.#minLength = options.minLength ?? 8
    this.#isCommon = options.isCommon ?? (() => false)
    this.#clock = options.clock ?? systemClock
    this.#wait = options.wait ?? (milliseconds => pause(milliseconds))
    const { memory, passes, parallelism } = this.#cost
    const sample = `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA`
    if (parseStoredHash(sample) === undefined)
      throw new ConfigError({
        place: 'identity.passwords.cost',
        problem: 'is out of range',
        hint: 'for example 19456 KiB, 2 passes, 1 lane',
      })
  }

  /**
   * Why a new password is not taken, or undefined when it is.
   * @param account texts that must not make it up: the e-mail address, the name
   */
  async fault(password: string, account: readonly string[] = []): Promise<PasswordFault | undefined> {
    const plain = normal(password)
    if ([...plain].length < this.#minLength) return 'too-short'
    if (plain.length > MAX_LENGTH) return 'too-long'
    const lower = plain.toLowerCase()
    const names = account.flatMap(text => [text, text.split('@')[0] ?? '']).map(text => text.toLowerCase())
    if (names.some(name => name.length >= 4 && lower.replace(name, '').length < 4)) return 'contains-account'
    return (await this.#isCommon(plain)) ? 'common' : undefined
  }

  /** A hash to store. @throws QueueFull */
  hash(password: string): Promise<string> {
    return this.#queue.run(() => argon2idHash(normal(password), this.#cost))
  }

  /**
   * Whether a password is the stored one. Without a stored hash (no such account, or one without a password)
   * the same work is done and the answer is no. A no is held back until it could be that of any kind of hash
   * that was verified lately; the queue goes on meanwhile.
   * @throws QueueFull
   */
  async verify(password: string, stored: string | undefined): Promise<PasswordCheck> {
    const parsed = stored === undefined || password.length > MAX_LENGTH ? undefined : parseStoredHash(stored)
    const { check, holdBack } = await this.#queue.run(async () => {
      const hash = parsed ?? (await this.#stand())
      const started = this.#clock.monotonic()
      const check = await this.#check(password.slice(0, MAX_LENGTH), hash)
      return { check, holdBack: this.#pace.after(kindOf(hash), this.#clock.monotonic() - started) }
    })
    if (check.matches && parsed !== undefined) return check
    if (holdBack > 0) await this.#wait(holdBack)
    return { matches: false }
  }

  async #check(password: string, parsed: StoredHash): Promise<PasswordCheck> {
    // Hashes from elsewhere were made of the password as it was typed.
    const typed = parsed.kind === 'argon2id' ? normal(password) : password
    const matches = await (parsed.kind === 'argon2id'
      ? this.#verifyOwn(parsed, password)
      : verifyStoredHash(parsed, password))
    if (!matches || !this.#isWeak(parsed) || isCutOff(parsed, typed)) return { matches }
    return { matches, upgrade: await argon2idHash(normal(password), this.#cost) }
  }

  /**
   * A password in its one form, and as it was typed. Both are hashed for an account that does not exist too:
   * else a password of another form would tell which do.
   */
  async #verifyOwn(stored: StoredHash, password: string): Promise<boolean> {
    const plain = normal(password)
    if (await verifyStoredHash(stored, plain)) return true
    return plain !== password && (await verifyStoredHash(stored, password))
  }

  /** The hash that stands in for a missing one: of the current cost, of a password nobody has. */
  #stand(): Promise<StoredHash> {
    this.#decoy ??= argon2idHash(crypto.randomUUID(), this.#cost).then(text => {
      const parsed = parseStoredHash(text)
      if (parsed === undefined) throw new Error('a hash of our own does not parse')
      return parsed
    })
    return this.#decoy
  }

  #isWeak(stored: StoredHash): boolean {
    if (stored.kind !== 'argon2id') return true
    const { memory, passes } = stored.cost
    return memory < this.#cost.memory || (memory === this.#cost.memory && passes < this.#cost.passes)
  }
}

/** What decides how long a hash takes to verify. */
function kindOf(hash: StoredHash): string {
  if (hash.kind === 'bcrypt') return hash.text.slice(0, 7)
  if (hash.kind === 'pbkdf2') return `${hash.digest} ${hash.iterations}`
  return `${hash.kind} ${[...hash.phc.parameters].join(' ')}`
}

/**
 * bcrypt reads 72 bytes: whatever follows was not checked, and must not become the password that is asked for
 * from then on.
 */
function isCutOff({ kind }: StoredHash, typed: string): boolean {
  return kind === 'bcrypt' && Buffer.byteLength(typed) > 72
}

/**
 * NIST SP 800-63B-4 section 3.1.1.2: one Unicode form, so that the same keys give
 * the same password on every system.
 */
function normal(password: string): string {
  return password.normalize('NFKC')
}
