import { type Clock, type Json, type RandomSource, systemClock, systemRandom } from '@postern/core'
import { CountNowAndThen } from '../database/count-now-and-then.ts'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { freshToken, tokenHash } from '../database/identity-secret.ts'

/** What a token is good for. A token of one kind is worth nothing where another is asked for. */
export type TokenKind =
  | 'sign-up'
  | 'sign-in-link'
  | 'second-factor'
  | 'reset'
  | 'change-email'
  | 'invitation'
  | 'passkey'
  | 'external'

/** What a token stands for. */
export interface OneTime {
  readonly accountId: string | undefined
  readonly data: Json
}

interface Row {
  readonly accountId: string | null
  readonly data: string
}

const SQL: Readonly<
  Record<
    'insert' | 'use' | 'find' | 'redeem' | 'try' | 'revoke' | 'revokeAbout' | 'count' | 'evict' | 'prune',
    string
  >
> = {
  insert:
    'INSERT INTO one_time (hash, kind, account_id, data, tries, expires_at) VALUES ($1, $2, $3, $4, 0, $5)',
  use: `INSERT INTO one_time (hash, kind, account_id, data, tries, expires_at)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), id, '{}', 0, CAST($4 AS BIGINT) FROM account WHERE id = $3
    ON CONFLICT (hash) DO NOTHING`,
  find: 'SELECT account_id AS "accountId", data FROM one_time WHERE hash = $1 AND kind = $2 AND expires_at > $3',
  redeem:
    'DELETE FROM one_time WHERE hash = $1 AND kind = $2 AND expires_at > $3 RETURNING account_id AS "accountId", data',
  try: `UPDATE one_time SET tries = tries + 1 WHERE hash = $1 AND kind = $2 AND expires_at > $3 AND tries < $4
    RETURNING account_id AS "accountId", data`,
  revoke: 'DELETE FROM one_time WHERE account_id = $1 AND kind = $2',
  revokeAbout:
    'DELETE FROM one_time WHERE kind = $1 AND substr(data, 1, length(CAST($2 AS TEXT))) = CAST($2 AS TEXT)',
  count: 'SELECT count(*) AS "count" FROM one_time WHERE account_id = $1 AND kind = $2 AND expires_at > $3',
  // One cut-off: deleting by a list of hashes takes PostgreSQL three times as long.
  evict: `DELETE FROM one_time WHERE kind = $1 AND account_id IS NULL AND expires_at < (SELECT expires_at FROM one_time
    WHERE kind = $1 AND account_id IS NULL ORDER BY expires_at DESC LIMIT 1 OFFSET $2)`,
  prune: 'DELETE FROM one_time WHERE expires_at <= $1',
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/
const PRUNE_EVERY_MS = 600_000
/** Live tokens of one kind that belong to no account: whoever comes gets one. Beyond, the oldest go. */
const MOST_OF_STRANGERS = 20_000

/**
 * Tokens that work once: links in mails, half-finished sign-ins. Redeeming deletes in the same
 * statement, so of two at once one gets it. Those that strangers get are bounded.
 */
export class OneTimeTokens {
  readonly #database: IdentityDatabase
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #counts = new CountNowAndThen()
  #prunedAt: number

  constructor(options: {
    readonly database: IdentityDatabase
    readonly clock?: Clock
    readonly random?: RandomSource
  }) {
    this.#database = options.database
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#prunedAt = this.#clock.now()
  }

  /** A fresh token of 256 bits. @param ttl milliseconds */
  async issue(kind: TokenKind, accountId: string | undefined, data: Json, ttl: number): Promise<string> {
    const now = this.#clock.now()
    if (accountId === undefined && this.#counts.take(kind))
      await this.#database.batch([{ text: SQL.evict, values: [kind, MOST_OF_STRANGERS] }])
    const token = freshToken(this.#random)
    const values = [tokenHash(token), kind, accountId ?? null, JSON.stringify(data), now + ttl]
    await this.#database.batch([{ text: SQL.insert, values, expect: 1 }])
    await this.#prune(now)
    return token
  }

  /**
   * Marks something as used that was never stored, because it is signed or sealed: the other half of `issue`
   * and `redeem` for what strangers get. Of two at once, on any instance, one gets true.
   * @param id of 128 random bits at least
   * @param accountId who proved to have used it, so that strangers store nothing
   * @param until epoch milliseconds, after which it is worth nothing anyway
   */
  async useOnce(kind: TokenKind, id: string, accountId: string, until: number): Promise<boolean> {
    const values = [tokenHash(`${kind} ${id}`), kind, accountId, until]
    const isFirst = await this.#database.batch([{ text: SQL.use, values, expect: 1 }])
    await this.#prune(this.#clock.now())
    return isFirst
  }

  /** What a live token stands for, without using it up: to show a page. */
  find(kind: TokenKind, token: string): Promise<OneTime | undefined> {
    return this.#ask(SQL.find, kind, token, [])
  }

  /** What a live token stands for; it is used up by this call. */
  redeem(kind: TokenKind, token: string): Promise<OneTime | undefined> {
    return this.#ask(SQL.redeem, kind, token, [])
  }

  /** What a live token stands for, if it was tried fewer times than that; this call is a try. */
  tryOnce(kind: TokenKind, token: string, most: number): Promise<OneTime | undefined> {
    return this.#ask(SQL.try, kind, token, [most])
  }

  /** Makes every token of a kind that an account has worthless. */
  async revoke(kind: TokenKind, accountId: string): Promise<void> {
    await this.#database.batch([{ text: SQL.revoke, values: [accountId, kind] }])
  }

  /**
   * Makes every token of a kind worthless, whoever it belongs to, whose data begins with these fields. They
   * are compared as text: in the order in which they were given to `issue`.
   */
  async revokeAbout(kind: TokenKind, fields: Readonly<Record<string, string>>): Promise<void> {
    const start = JSON.stringify(fields).slice(0, -1)
    await this.#database.batch([{ text: SQL.revokeAbout, values: [kind, start] }])
  }

  /** How many live tokens of a kind an account has. */
  async count(kind: TokenKind, accountId: string): Promise<number> {
    const rows = await this.#database.rows<{ count: number | string }>(SQL.count, [
      accountId,
      kind,
      this.#clock.now(),
    ])
    return Number(rows[0]?.count)
  }

  async #prune(now: number): Promise<void> {
    if (now - this.#prunedAt <= PRUNE_EVERY_MS) return
    this.#prunedAt = now
    await this.#database.batch([{ text: SQL.prune, values: [now] }])
  }

  async #ask(
    text: string,
    kind: TokenKind,
    token: string,
    more: readonly number[],
  ): Promise<OneTime | undefined> {
    if (!TOKEN.test(token)) return undefined
    const [row] = await this.#database.rows<Row>(text, [tokenHash(token), kind, this.#clock.now(), ...more])
    if (row === undefined) return undefined
    const data: Json = JSON.parse(row.data)
    return { accountId: row.accountId ?? undefined, data }
  }
}
