import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { type Clock, type RandomSource, systemClock, systemRandom } from '@postern/core'
import type { PostgresDatabase, SqliteDatabase } from '@postern/store'
import type { OneTimeTokens } from '../account/one-time-tokens.ts'
import type { RecordCodec, RecordStore } from '../records/record-store.ts'
import { sharedRecords } from '../records/shared-records.ts'

/** A challenge that was issued here, is not too old, and is for what was asked. */
export interface IssuedChallenge {
  /** Marks it as answered. Of two at once, on any instance, one gets true. */
  useUp(accountId: string): Promise<boolean>
}

/** A key that signs challenges: 256 bits in base64url, and when it was made. */
interface SigningKey {
  readonly key: string
  readonly madeAt: number
}

const LIFETIME_MS = 300_000
/** A key signs for a day, and its challenges are taken for another. */
const KEY_MS = 86_400_000
/** How far the clock of the instance that issued one may be ahead. */
const AHEAD_MS = 60_000
/** How often the keys are read again for challenges that no known one has signed. */
const RELOAD_MS = 1_000
const TIME_BYTES = 6
const SALT_BYTES = 16
const MAC_BYTES = 32
const RECORD = 'keys'

/** The newest first, two at most. */
const KEYS: RecordCodec<readonly SigningKey[]> = {
  read: (text = '') =>
    [...text.matchAll(/([A-Za-z0-9_-]{43}) (\d{1,15})/g)].map(([, key = '', madeAt]) => ({
      key,
      madeAt: Number(madeAt),
    })),
  write: keys => keys.map(({ key, madeAt }) => `${key} ${Math.floor(madeAt)}`).join('\n'),
  lifetime: () => 2 * KEY_MS,
}

/**
 * Challenges for passkeys. Anybody gets one, so none is stored: each carries its time and a MAC over what it
 * is for. That one was answered is stored, once a passkey of an account has signed it. Instances share the
 * keys in their database, and replace them daily.
 */
export class PasskeyChallenges {
  readonly #records: RecordStore<readonly SigningKey[]>
  readonly #tokens: OneTimeTokens
  readonly #clock: Clock
  readonly #random: RandomSource
  #known: readonly SigningKey[] = []
  #loadedAt = Number.NEGATIVE_INFINITY

  private constructor(records: RecordStore<readonly SigningKey[]>, options: PasskeyChallengesOptions) {
    this.#records = records
    this.#tokens = options.tokens
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /** @throws StoreError when the database cannot be reached or migrated */
  static async open(
    database: SqliteDatabase | PostgresDatabase,
    options: PasskeyChallengesOptions,
  ): Promise<PasskeyChallenges> {
    const clock = options.clock ?? systemClock
    return new PasskeyChallenges(await sharedRecords(database, 'passkey-challenge', KEYS, clock), options)
  }

  /** A fresh challenge, base64url. @param purpose what it is for: it is worth nothing for anything else */
  async issue(purpose: string): Promise<string> {
    const now = this.#clock.now()
    const [newest] = isDue(this.#known, now) ? await this.#load(now) : this.#known
    const head = Buffer.alloc(TIME_BYTES + SALT_BYTES)
    head.writeUIntBE(Math.floor(now), 0, TIME_BYTES)
    head.set(this.#random.bytes(SALT_BYTES), TIME_BYTES)
    return Buffer.concat([head, macOf(newest?.key ?? '', purpose, head)]).toString('base64url')
  }

  /** What a challenge is; undefined when it was not issued for this, or more than five minutes ago. */
  async find(purpose: string, challenge: string): Promise<IssuedChallenge | undefined> {
    const now = this.#clock.now()
    const bytes = Buffer.from(challenge, 'base64url')
    if (bytes.length !== TIME_BYTES + SALT_BYTES + MAC_BYTES) return undefined
    const head = bytes.subarray(0, TIME_BYTES + SALT_BYTES)
    const issuedAt = head.readUIntBE(0, TIME_BYTES)
    if (issuedAt > now + AHEAD_MS || issuedAt + LIFETIME_MS <= now) return undefined
    const mac = bytes.subarray(head.length)
    const isSigned = (keys: readonly SigningKey[]): boolean =>
      keys.some(({ key }) => timingSafeEqual(macOf(key, purpose, head), mac))
    // Another instance may have replaced the key. Anybody can ask with a made-up one.
    const mayBeNew = now - this.#loadedAt >= RELOAD_MS || now < this.#loadedAt
    if (!isSigned(this.#known) && !(mayBeNew && isSigned(await this.#load(now)))) return undefined
    // The bytes, for a text has several spellings in base64url.
    const id = head.toString('base64url')
    const until = issuedAt + LIFETIME_MS
    return { useUp: accountId => this.#tokens.useOnce('passkey', id, accountId, until) }
  }

  /** The keys that all instances use; a new one where the newest is a day old. */
  async #load(now: number): Promise<readonly SigningKey[]> {
    this.#loadedAt = now
    const fresh = { key: Buffer.from(this.#random.bytes(32)).toString('base64url'), madeAt: now }
    this.#known = await this.#records.update(RECORD, kept => {
      if (!isDue(kept, now)) return { result: kept }
      const keys = [fresh, ...kept.slice(0, 1)]
      return { record: keys, result: keys }
    })
    return this.#known
  }
}

export interface PasskeyChallengesOptions {
  /** Where those that were answered are kept: of the same database. */
  readonly tokens: OneTimeTokens
  readonly clock?: Clock
  readonly random?: RandomSource
}

function isDue([newest]: readonly SigningKey[], now: number): boolean {
  return newest === undefined || newest.madeAt + KEY_MS <= now
}

function macOf(key: string, purpose: string, head: Uint8Array): Buffer {
  return createHmac('sha256', createSecretKey(key, 'base64url'))
    .update(`postern passkey challenge\n${purpose}\n`)
    .update(head)
    .digest()
}
