import {
  type Clock,
  ConfigError,
  type Event,
  type RandomSource,
  storedText,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { IdentityDatabase, Step } from '../database/identity-database.ts'
import { freshId } from '../database/identity-secret.ts'
import { isUniqueViolation } from '../database/unique-violation.ts'
import { parseStoredHash } from '../password/stored-hash.ts'
import { ACCOUNT_SQL } from './account.sql.ts'
import { type Account, type AccountRow, readAccount } from './account.ts'
import { type Email, parseEmail } from './email.ts'
import { checkedRoles } from './roles.ts'

/** Longest name of a person that is kept, UTF-16 units. */
const MAX_NAME = 200
/** Longer than a consent is good for. */
const RIGHTS_KEPT_MS = 86_400_000

export interface AccountsOptions {
  readonly database: IdentityDatabase
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

export interface NewAccount {
  readonly email: Email
  readonly name?: string
  readonly locale?: string
  /** A hash that `parseStoredHash` reads; none for an account that signs in otherwise. */
  readonly passwordHash?: string
  /** Whether somebody proved that the address is theirs. */
  readonly emailVerified: 'yes' | 'no'
}

/** A sign-in at another provider that belongs to an account. */
export interface ExternalLogin {
  readonly issuer: string
  readonly subject: string
  readonly createdAt: number
}

/** The accounts. It stores; what must be proven before each call is up to its callers. */
export class Accounts {
  readonly #database: IdentityDatabase
  readonly #emit: (event: Event) => void
  readonly #clock: Clock
  readonly #random: RandomSource

  constructor(options: AccountsOptions) {
    this.#database = options.database
    this.#emit = options.emit ?? (() => {})
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /**
   * Makes an account.
   * @returns undefined when the address has one already
   * @throws ConfigError when the password hash is of an unknown kind
   */
  async create(wish: NewAccount): Promise<Account | undefined> {
    if (wish.passwordHash !== undefined && parseStoredHash(wish.passwordHash) === undefined)
      throw new ConfigError({
        place: 'password hash',
        problem: 'is of an unknown kind',
        hint: 'argon2id, scrypt or PBKDF2 as a PHC string, PBKDF2 as Django writes it, or bcrypt',
      })
    const now = this.#clock.now()
    const row: AccountRow = {
      id: freshId(this.#random),
      email: wish.email,
      emailVerifiedAt: wish.emailVerified === 'yes' ? now : null,
      name: storedText(wish.name ?? '', MAX_NAME).replace(/\p{Cc}/gu, ''),
      locale: wish.locale ?? 'en',
      roles: '',
      passwordHash: wish.passwordHash ?? null,
      passwordChangedAt: wish.passwordHash === undefined ? null : now,
      createdAt: now,
      disabledAt: null,
    }
    const values = [
      row.id,
      row.email,
      row.emailVerifiedAt,
      row.name,
      row.locale,
      row.passwordHash,
      row.passwordChangedAt,
      row.createdAt,
    ]
    if (!(await this.#database.batch([{ text: ACCOUNT_SQL.insert, values, expect: 1 }]))) return undefined
    this.#tell('account.created', row.id)
    return readAccount(row)
  }

  async byId(id: string): Promise<Account | undefined> {
    const [row] = await this.#database.rows<AccountRow>(ACCOUNT_SQL.byId, [id])
    return row === undefined ? undefined : readAccount(row)
  }

  async byEmail(email: Email): Promise<Account | undefined> {
    const [row] = await this.#database.rows<AccountRow>(ACCOUNT_SQL.byEmail, [email])
    return row === undefined ? undefined : readAccount(row)
  }

  /**
   * The account of an address with its stored hash, for verification only. One statement whether there is
   * such an account or not: a second one for the hash would show it by its time.
   */
  async credentialsOf(
    email: Email,
  ): Promise<{ readonly account: Account; readonly passwordHash: string | undefined } | undefined> {
    const [row] = await this.#database.rows<AccountRow>(ACCOUNT_SQL.byEmail, [email])
    return row === undefined
      ? undefined
      : { account: readAccount(row), passwordHash: row.passwordHash ?? undefined }
  }

  /**
   * What people are called who stand in a list as `user:ID`: `ann@shop.example (Ann)`. The address was
   * proven, the name is what they wrote themselves. Who has no account here is left out.
   */
  async callNames(actors: Iterable<string>): Promise<Readonly<Record<string, string>>> {
    const names: Record<string, string> = {}
    for (const actor of new Set(actors)) {
      if (!actor.startsWith('user:')) continue
      const account = await this.byId(actor.slice('user:'.length))
      if (account !== undefined)
        names[actor] = account.name === '' ? account.email : `${account.email} (${account.name})`
    }
    return names
  }

  /** The account with this id or e-mail address, as an operator writes either. */
  async named(idOrEmail: string): Promise<Account | undefined> {
    const email = parseEmail(idOrEmail)
    return email === undefined ? this.byId(idOrEmail) : this.byEmail(email)
  }

  /**
   * Every name of whoever has or had this id or e-mail address: ids and addresses, also former ones. An
   * address that was passed on leads to both holders: for comparing whom a rule forbids, never to let
   * somebody do something.
   */
  async namesOf(idOrEmail: string): Promise<readonly string[]> {
    const values = [idOrEmail, parseEmail(idOrEmail) ?? null]
    return (await this.#database.rows<{ name: string }>(ACCOUNT_SQL.names, values)).map(({ name }) => name)
  }

  /** The addresses that an account had before, as far as they were changed since version 4 of the tables. */
  async formerEmails(id: string): Promise<readonly string[]> {
    const rows = await this.#database.rows<{ email: string }>(ACCOUNT_SQL.formerEmails, [id])
    return rows.map(({ email }) => email)
  }

  /** Newest first, for operators. */
  async list(limit = 1_000): Promise<readonly Account[]> {
    return (await this.#database.rows<AccountRow>(ACCOUNT_SQL.list, [limit])).map(readAccount)
  }

  /** Those whose address, name or id holds a text, newest first, 1,000 at most. Reads every account. */
  async search(text: string, limit = 1_000): Promise<readonly Account[]> {
    const plain = storedText(text, 320)
    const part = (words: string): string => `%${words.replaceAll(/[!%_]/g, '!$&')}%`
    const values = [limit, part(plain), part(plain.toLowerCase())]
    return (await this.#database.rows<AccountRow>(ACCOUNT_SQL.search, values)).map(readAccount)
  }

  /**
   * When an account was last disabled or deleted, or got other roles or another password, as far as that was
   * within a day. What its holder consented to before then no longer counts, whatever was given back since.
   */
  async rightsChangedAt(id: string): Promise<number | undefined> {
    const rows = await this.#database.rows<{ changedAt: number }>(ACCOUNT_SQL.rightsChangedAt, [id])
    return rows[0]?.changedAt
  }

  #rightsChange(id: string): readonly Step[] {
    const now = this.#clock.now()
    return [
      { text: ACCOUNT_SQL.pruneRightsChanges, values: [now - RIGHTS_KEPT_MS] },
      { text: ACCOUNT_SQL.rightsChange, values: [id, now] },
    ]
  }

  /** The stored hash, for verification only. */
  async passwordHash(id: string): Promise<string | undefined> {
    const [row] = await this.#database.rows<AccountRow>(ACCOUNT_SQL.byId, [id])
    return row?.passwordHash ?? undefined
  }

  /**
   * Changes the password of an account, if it is still as it was read: of two changes at once one is made.
   * @returns false when it has another address or password by now, or is disabled or gone
   */
  async setPassword(account: Account, passwordHash: string): Promise<boolean> {
    const { id, email, passwordChangedAt = null } = account
    const values = [id, passwordHash, this.#clock.now(), email, passwordChangedAt]
    const changed = await this.#database.batch([
      { text: ACCOUNT_SQL.setPassword, values, expect: 1 },
      ...this.#rightsChange(id),
    ])
    if (changed) this.#tell('account.password-changed', id)
    return changed
  }

  /** Replaces a hash by a better one of the same password, unless it was changed meanwhile. */
  async upgradePassword(id: string, from: string, to: string): Promise<void> {
    await this.#database.batch([{ text: ACCOUNT_SQL.upgradePassword, values: [id, from, to] }])
  }

  /**
   * Changes the address of an account, if it is still as it was read.
   * @returns false as `setPassword`, and when the new address is taken
   */
  async setEmail(account: Account, to: Email): Promise<boolean> {
    const { id, email, passwordChangedAt = null } = account
    const values = [id, to, this.#clock.now(), email, passwordChangedAt]
    try {
      const changed = await this.#database.batch([
        { text: ACCOUNT_SQL.keepEmail, values: [id] },
        { text: ACCOUNT_SQL.setEmail, values, expect: 1 },
      ])
      if (changed) this.#tell('account.email-changed', id)
      return changed
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  }

  async setName(id: string, name: string, locale: string): Promise<void> {
    await this.#database.batch([{ text: ACCOUNT_SQL.setName, values: [id, name.slice(0, 200), locale] }])
  }

  /**
   * Says which roles an account has on the whole site, in place of those it had. For operators: whoever may
   * call this can make anybody anything. Holds from the next request on.
   * @returns false when that changes nothing
   * @throws ConfigError for what cannot be a role
   */
  async setRoles(id: string, roles: readonly string[]): Promise<boolean> {
    const text = checkedRoles([...new Set(roles)].sort())
    const changed = await this.#database.batch([
      { text: ACCOUNT_SQL.setRoles, values: [id, text], expect: 1 },
      ...this.#rightsChange(id),
    ])
    if (changed) this.#tell('account.roles-changed', id, { roles: text })
    return changed
  }

  /** A disabled account cannot sign in, and its sessions do not hold, from the next request on. */
  async disable(id: string): Promise<boolean> {
    const disabled = await this.#database.batch([
      { text: ACCOUNT_SQL.disable, values: [id, this.#clock.now()], expect: 1 },
      ...this.#rightsChange(id),
    ])
    if (disabled) this.#tell('account.disabled', id)
    return disabled
  }

  async enable(id: string): Promise<void> {
    await this.#database.batch([{ text: ACCOUNT_SQL.enable, values: [id] }])
    this.#tell('account.enabled', id)
  }

  /**
   * Deletes an account with everything that hangs on it: sessions, passkeys, codes,
   * memberships. API keys are the caller's to revoke. Its addresses are kept only where it made a key of a
   * service that still lives, so that its holder does not decide under one of them what that asks for.
   */
  async remove(id: string): Promise<boolean> {
    const removed = await this.#database.batch([
      { text: ACCOUNT_SQL.keepEmail, values: [id] },
      { text: ACCOUNT_SQL.remove, values: [id], expect: 1 },
      { text: ACCOUNT_SQL.dropEmails, values: [id] },
      ...this.#rightsChange(id),
    ])
    if (removed) this.#tell('account.deleted', id)
    return removed
  }

  /**
   * Links a sign-in at another provider.
   * @returns false when it belongs to an account already, this one or another
   */
  async linkExternal(id: string, issuer: string, subject: string): Promise<boolean> {
    const linked = await this.#database.batch([
      { text: ACCOUNT_SQL.externalInsert, values: [issuer, subject, id, this.#clock.now()], expect: 1 },
    ])
    if (linked) this.#tell('account.linked', id, { issuer })
    return linked
  }

  async byExternal(issuer: string, subject: string): Promise<Account | undefined> {
    const [row] = await this.#database.rows<{ accountId: string }>(ACCOUNT_SQL.externalFind, [
      issuer,
      subject,
    ])
    return row === undefined ? undefined : this.byId(row.accountId)
  }

  /** Takes back what `linkExternal` did. */
  async unlinkOne(id: string, issuer: string, subject: string): Promise<void> {
    await this.#database.batch([{ text: ACCOUNT_SQL.externalRemove, values: [id, issuer, subject] }])
    this.#tell('account.unlinked', id, { issuer })
  }

  /** Unlinks every other provider: after a compromise, when who linked them is not known. */
  async unlinkExternal(id: string): Promise<void> {
    await this.#database.batch([{ text: ACCOUNT_SQL.externalRemoveAll, values: [id] }])
    this.#tell('account.unlinked', id)
  }

  async externalLogins(id: string): Promise<readonly ExternalLogin[]> {
    return this.#database.rows<ExternalLogin>(ACCOUNT_SQL.externalList, [id])
  }

  #tell(type: string, principal: string, data: Readonly<Record<string, string>> = {}): void {
    this.#emit({ type, time: this.#clock.now(), actor: { principal }, data })
  }
}
