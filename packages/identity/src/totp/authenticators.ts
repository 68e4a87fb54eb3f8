import {
  type Clock,
  CredentialError,
  type Event,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import type { IdentitySecret } from '../database/identity-secret.ts'
import type { RecordStore } from '../records/record-store.ts'
import { base32, matchTotp, totpUri } from './totp.ts'
import { forgetWrongCodes, mayTryCode, type WrongCodes, wrongCodesInMemory } from './wrong-codes.ts'

export interface AuthenticatorsOptions {
  readonly database: IdentityDatabase
  readonly secret: IdentitySecret
  /** Shown by authenticator apps beside the account. */
  readonly issuer: string
  /** Counts wrong codes, for all processes together. Default: in the memory of this one. */
  readonly wrongCodes?: RecordStore<WrongCodes>
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** What an authenticator app must be given. */
export interface Enrolment {
  readonly secret: string
  readonly uri: string
}

interface Row {
  readonly sealed: string
  readonly lastStep: number
  readonly confirmedAt: number | null
}

const SQL: Readonly<Record<'put' | 'find' | 'confirm' | 'spend' | 'remove', string>> = {
  put: `INSERT INTO totp (account_id, sealed, last_step, confirmed_at) VALUES ($1, $2, 0, NULL)
    ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0 WHERE totp.confirmed_at IS NULL`,
  find: 'SELECT sealed, last_step AS "lastStep", confirmed_at AS "confirmedAt" FROM totp WHERE account_id = $1',
  confirm:
    'UPDATE totp SET confirmed_at = $3, last_step = $2 WHERE account_id = $1 AND confirmed_at IS NULL AND last_step < $2',
  spend:
    'UPDATE totp SET last_step = $2 WHERE account_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2',
  remove: 'DELETE FROM totp WHERE account_id = $1 RETURNING account_id',
}

/** Authenticator apps (TOTP, RFC 6238): one per account, its secret sealed, every code good once. */
export class Authenticators {
  readonly #options: AuthenticatorsOptions
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #wrongCodes: RecordStore<WrongCodes>

  constructor(options: AuthenticatorsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#wrongCodes = options.wrongCodes ?? wrongCodesInMemory()
  }

  /**
   * Begins to add an app. It counts only once a code of it was shown.
   * @throws CredentialError when the account has one already
   */
  async begin(accountId: string, email: string): Promise<Enrolment> {
    const secret = this.#random.bytes(20)
    const sealed = this.#options.secret.seal(`totp:${accountId}`, Buffer.from(secret).toString('base64url'))
    const put = await this.#options.database.batch([
      { text: SQL.put, values: [accountId, sealed], expect: 1 },
    ])
    if (!put) throw new CredentialError('this account has an authenticator app already')
    return this.#enrolment(email, secret)
  }

  /** What `begin` gave, to show it again after a wrong code; undefined when nothing was begun. */
  async pending(accountId: string, email: string): Promise<Enrolment | undefined> {
    const [row] = await this.#options.database.rows<Row>(SQL.find, [accountId])
    if (row === undefined || row.confirmedAt !== null) return undefined
    return this.#enrolment(email, this.#open(accountId, row))
  }

  #enrolment(email: string, secret: Uint8Array): Enrolment {
    return { secret: base32(secret), uri: totpUri(this.#options.issuer, email, secret) }
  }

  #open(accountId: string, { sealed }: Row): Uint8Array {
    return Buffer.from(this.#options.secret.open(`totp:${accountId}`, sealed), 'base64url')
  }

  /** Finishes adding an app with its first code. */
  async confirm(accountId: string, code: string): Promise<boolean> {
    return this.#match(accountId, code, SQL.confirm, 'factor.added')
  }

  /** Whether a code is right and was not used before. Of two uses of one code at once, one is right. */
  async verify(accountId: string, code: string): Promise<boolean> {
    return this.#match(accountId, code, SQL.spend, undefined)
  }

  /** Whether the account has an app that was confirmed. */
  async has(accountId: string): Promise<boolean> {
    const [row] = await this.#options.database.rows<Row>(SQL.find, [accountId])
    return row !== undefined && row.confirmedAt !== null
  }

  async remove(accountId: string): Promise<void> {
    const removed = await this.#options.database.rows(SQL.remove, [accountId])
    if (removed.length > 0) this.#emit('factor.removed', accountId)
  }

  async #match(accountId: string, code: string, spend: string, event: string | undefined): Promise<boolean> {
    const now = this.#clock.now()
    if (!(await mayTryCode(this.#wrongCodes, accountId, now))) return false
    const [row] = await this.#options.database.rows<Row>(SQL.find, [accountId])
    const plain = code.replace(/[\s-]/g, '')
    const step =
      row === undefined || !/^\d{6}$/.test(plain)
        ? undefined
        : matchTotp(this.#open(accountId, row), plain, now)
    const values = [accountId, step ?? 0]
    const isRight =
      step !== undefined &&
      (await this.#options.database.batch([
        { text: spend, values: spend === SQL.confirm ? [...values, now] : values, expect: 1 },
      ]))
    if (isRight) await forgetWrongCodes(this.#wrongCodes, accountId)
    if (isRight && event !== undefined) this.#emit(event, accountId)
    return isRight
  }

  #emit(type: string, principal: string): void {
    this.#options.emit?.({ type, time: this.#clock.now(), actor: { principal }, data: { factor: 'totp' } })
  }
}
