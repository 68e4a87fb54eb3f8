import { type Clock, type Event, type RandomSource, systemClock, systemRandom } from '@postern/core'
import type { PostgresDatabase, SqliteDatabase } from '@postern/store'
import type { Account } from '../account/account.ts'
import { Accounts } from '../account/accounts.ts'
import { parseEmail } from '../account/email.ts'
import { OneTimeTokens } from '../account/one-time-tokens.ts'
import { identityDatabase } from '../database/identity-database.ts'
import { migrateIdentity } from '../database/identity-migrations.sql.ts'
import { PasskeyChallenges } from './passkey-challenges.ts'
import { loadWebAuthn, type Passkey, Passkeys } from './passkeys.ts'

/** Where accounts are kept, and the name that a browser shows for them. */
export interface PasskeyAccountsOptions {
  /** Of these accounts alone. Opened by the caller, who closes it. */
  readonly database: SqliteDatabase | PostgresDatabase
  /** Name that browsers show. */
  readonly name: string
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** An account that signs in with passkeys only; one without any was invited and did not come yet. */
export interface PasskeyAccount extends Pick<Account, 'id' | 'email' | 'roles' | 'createdAt'> {
  readonly passkeys: readonly Passkey[]
}

/** What a browser needs to make a passkey: `PublicKeyCredentialCreationOptionsJSON`. */
export type RegistrationOptions = Awaited<ReturnType<Passkeys['registrationOptions']>>
/** What a browser needs to sign in: `PublicKeyCredentialRequestOptionsJSON`. */
export type SignInOptions = Awaited<ReturnType<Passkeys['signInOptions']>>

const INVITATION_MS = 86_400_000
const MAX_TRIES = 5
const MAX_ACCOUNTS = 200

/**
 * Accounts of a few people who are invited and sign in with passkeys (WebAuthn Level 3): no password, no
 * mail. Passkeys belong to a domain: one that was made at `localhost` does not sign in at `ops.example.com`.
 */
export class PasskeyAccounts {
  readonly #options: PasskeyAccountsOptions
  readonly #accounts: Accounts
  readonly #tokens: OneTimeTokens
  readonly #challenges: PasskeyChallenges
  readonly #database: ReturnType<typeof identityDatabase>
  readonly #passkeys = new Map<string, Passkeys>()

  private constructor(options: PasskeyAccountsOptions, tokens: OneTimeTokens, challenges: PasskeyChallenges) {
    const { clock = systemClock, random = systemRandom } = options
    this.#options = options
    this.#database = identityDatabase(options.database)
    const shared = { database: this.#database, clock, random }
    this.#accounts = new Accounts({ ...shared, ...(options.emit !== undefined && { emit: options.emit }) })
    this.#tokens = tokens
    this.#challenges = challenges
  }

  /** @throws StoreError when the database cannot be reached or migrated */
  static async open(options: PasskeyAccountsOptions): Promise<PasskeyAccounts> {
    const { database, clock = systemClock, random = systemRandom } = options
    await migrateIdentity(database)
    const tokens = new OneTimeTokens({ database: identityDatabase(database), clock, random })
    const challenges = await PasskeyChallenges.open(database, { tokens, clock, random })
    return new PasskeyAccounts(options, tokens, challenges)
  }

  /** Newest first. */
  async list(): Promise<readonly PasskeyAccount[]> {
    return Promise.all((await this.#accounts.list(MAX_ACCOUNTS)).map(account => this.#shown(account)))
  }

  async byId(id: string): Promise<PasskeyAccount | undefined> {
    const account = await this.#accounts.byId(id)
    return account === undefined ? undefined : this.#shown(account)
  }

  async #shown({ id, email, roles, createdAt }: Account): Promise<PasskeyAccount> {
    return { id, email, roles, createdAt, passkeys: await this.#keys('http://localhost').list(id) }
  }

  /**
   * Invites somebody, again if they did not come yet; an earlier invitation is worth nothing then.
   * @returns a secret that makes one passkey within a day; undefined for an invalid address, for one
   * whose account can sign in, and when there are 200 accounts
   * @throws ConfigError for what cannot be a role
   */
  async invite(address: string, roles: readonly string[]): Promise<string | undefined> {
    const email = parseEmail(address)
    if (email === undefined) return undefined
    // An invitation that nobody can follow is not made.
    await loadWebAuthn()
    const known = await this.#accounts.byEmail(email)
    if (known !== undefined && (await this.#shown(known)).passkeys.length > 0) return undefined
    if (known === undefined && (await this.#accounts.list(MAX_ACCOUNTS)).length >= MAX_ACCOUNTS)
      return undefined
    const account = known ?? (await this.#accounts.create({ email, emailVerified: 'no' }))
    if (account === undefined) return undefined
    await this.#accounts.setRoles(account.id, roles)
    await this.#tokens.revoke('invitation', account.id)
    return this.#tokens.issue('invitation', account.id, {}, INVITATION_MS)
  }

  /** Whom an invitation is for, and what a browser needs to follow it; undefined when it is worth nothing. */
  async invitation(
    secret: string,
    origin: string,
  ): Promise<{ readonly account: PasskeyAccount; readonly options: RegistrationOptions } | undefined> {
    const found = await this.#tokens.find('invitation', secret)
    const account = await this.#accounts.byId(found?.accountId ?? '')
    if (account === undefined) return undefined
    return {
      account: await this.#shown(account),
      options: await this.#keys(origin).registrationOptions(account),
    }
  }

  /** Follows an invitation with the passkey that the browser made. @returns who came, or undefined */
  async accept(secret: string, answer: unknown, origin: string): Promise<PasskeyAccount | undefined> {
    const found = await this.#tokens.tryOnce('invitation', secret, MAX_TRIES)
    const account = await this.#accounts.byId(found?.accountId ?? '')
    if (account === undefined) return undefined
    const keys = this.#keys(origin)
    const made = await keys.register(account, answer, 'invitation')
    if (made === undefined) return undefined
    // Of two that follow the same invitation at once one is let in.
    if ((await this.#tokens.redeem('invitation', secret)) === undefined) {
      await keys.remove(account.id, made.id)
      return undefined
    }
    return this.#shown(account)
  }

  signInOptions(origin: string): Promise<SignInOptions> {
    return this.#keys(origin).signInOptions()
  }

  /** Whose passkey answered a sign-in challenge, or undefined. */
  async signIn(answer: unknown, origin: string): Promise<PasskeyAccount | undefined> {
    const proven = await this.#keys(origin).signIn(answer)
    return proven === undefined ? undefined : this.byId(proven.accountId)
  }

  /** @returns whether that changes anything @throws ConfigError for what cannot be a role */
  setRoles(id: string, roles: readonly string[]): Promise<boolean> {
    return this.#accounts.setRoles(id, roles)
  }

  /** Removes an account with its passkeys and invitations. @returns whether there was one */
  remove(id: string): Promise<boolean> {
    return this.#accounts.remove(id)
  }

  #keys(origin: string): Passkeys {
    const known = this.#passkeys.get(origin)
    if (known !== undefined) return known
    const { name, clock, emit } = this.#options
    const passkeys = new Passkeys({
      database: this.#database,
      challenges: this.#challenges,
      origin,
      rpName: name,
      ...(clock !== undefined && { clock }),
      ...(emit !== undefined && { emit }),
    })
    // Origins come from the configuration, so there are few; a caller that passes others grows nothing.
    if (this.#passkeys.size < 32) this.#passkeys.set(origin, passkeys)
    return passkeys
  }
}
