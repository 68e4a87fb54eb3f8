import { type Clock, type RandomSource, systemClock, systemRandom } from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import type { IdentitySecret } from '../database/identity-secret.ts'
import { base32 } from './totp.ts'

const COUNT = 10

const SQL: Readonly<Record<'clear' | 'insert' | 'spend' | 'left', string>> = {
  clear: 'DELETE FROM recovery_code WHERE account_id = $1',
  insert: 'INSERT INTO recovery_code (hash, account_id) VALUES ($1, $2)',
  spend: 'UPDATE recovery_code SET used_at = $3 WHERE hash = $1 AND account_id = $2 AND used_at IS NULL',
  left: 'SELECT count(*) AS "count" FROM recovery_code WHERE account_id = $1 AND used_at IS NULL',
}

/**
 * Codes on paper for the day an authenticator app is lost: ten of 120 bits, each good once,
 * stored as an HMAC bound to the account.
 */
export class RecoveryCodes {
  readonly #database: IdentityDatabase
  readonly #secret: IdentitySecret
  readonly #clock: Clock
  readonly #random: RandomSource

  constructor(options: {
    readonly database: IdentityDatabase
    readonly secret: IdentitySecret
    readonly clock?: Clock
    readonly random?: RandomSource
  }) {
    this.#database = options.database
    this.#secret = options.secret
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /** Ten fresh codes, told once; the old ones are worth nothing from then on. */
  async renew(accountId: string): Promise<readonly string[]> {
    const codes = Array.from({ length: COUNT }, () => spaced(base32(this.#random.bytes(15)).toLowerCase()))
    const inserts = codes.map(code => ({
      text: SQL.insert,
      values: [this.#hash(accountId, code), accountId],
    }))
    await this.#database.batch([{ text: SQL.clear, values: [accountId] }, ...inserts])
    return codes
  }

  /** Whether a code is one of the account's, and unused; it is used up by this call. */
  async redeem(accountId: string, code: string): Promise<boolean> {
    const plain = code.toLowerCase().replace(/[^a-z0-9]/g, '')
    if (!/^[a-z2-7]{24}$/.test(plain)) return false
    const values = [this.#hash(accountId, spaced(plain)), accountId, this.#clock.now()]
    return this.#database.batch([{ text: SQL.spend, values, expect: 1 }])
  }

  /** How many are left. */
  async left(accountId: string): Promise<number> {
    const rows = await this.#database.rows<{ count: number | string }>(SQL.left, [accountId])
    return Number(rows[0]?.count)
  }

  #hash(accountId: string, code: string): string {
    return this.#secret.mac('recovery-code', `${accountId}\0${code}`)
  }
}

function spaced(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code
}
