import {
  type Clock,
  ConfigError,
  CredentialError,
  type Event,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { freshId } from '../database/identity-secret.ts'
import type { Account } from './account.ts'
import { type Email, parseEmail } from './email.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import { checkedRoles } from './roles.ts'

/** A tenant: what accounts are members of, and in whose name they act. */
export interface Organisation {
  readonly id: string
  readonly name: string
  readonly createdAt: number
}

export interface Membership {
  readonly organisationId: string
  readonly organisation: string
  readonly accountId: string
  readonly roles: readonly string[]
}

interface MembershipRow {
  readonly organisationId: string
  readonly organisation: string
  readonly accountId: string
  readonly roles: string
}

/** The role that may invite, change roles and remove members. At least one member has it. */
export const OWNER = 'owner'

const COLUMNS = `m.organisation_id AS "organisationId", o.name AS "organisation", m.account_id AS "accountId", m.roles`
const JOINED = 'FROM membership m JOIN organisation o ON o.id = m.organisation_id'
const OTHER_OWNER = `EXISTS (SELECT 1 FROM membership other WHERE other.organisation_id = $1 AND other.account_id <> $2
  AND ' ' || other.roles || ' ' LIKE '% owner %')`

/** Whether the account of a parameter is an owner now. */
const ownedBy = (account: `$${number}`): string =>
  `EXISTS (SELECT 1 FROM membership own WHERE own.organisation_id = $1 AND own.account_id = ${account}
  AND ' ' || own.roles || ' ' LIKE '% owner %')`

const SQL: Readonly<
  Record<
    'insert' | 'lock' | 'join' | 'accept' | 'ofAccount' | 'members' | 'setRoles' | 'leave' | 'emailOf',
    string
  >
> = {
  insert: 'INSERT INTO organisation (id, name, created_at) VALUES ($1, $2, $3)',
  /**
   * One change of members at a time, each of which sees the one before: in PostgreSQL a statement does not
   * see what another is just changing, and who is removed could still act as owner, or two last owners leave.
   */
  lock: 'UPDATE organisation SET name = name WHERE id = $1',
  join: `INSERT INTO membership (organisation_id, account_id, roles, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (organisation_id, account_id) DO NOTHING`,
  accept: `INSERT INTO membership (organisation_id, account_id, roles, created_at)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT) WHERE ${ownedBy('$5')}
    ON CONFLICT (organisation_id, account_id) DO NOTHING`,
  ofAccount: `SELECT ${COLUMNS} ${JOINED} WHERE m.account_id = $1 ORDER BY o.name LIMIT 200`,
  members: `SELECT ${COLUMNS} ${JOINED} WHERE m.organisation_id = $1 ORDER BY m.created_at LIMIT 10000`,
  setRoles: `UPDATE membership SET roles = $3 WHERE organisation_id = $1 AND account_id = $2 AND ${ownedBy('$4')}
    AND (' ' || $3 || ' ' LIKE '% owner %' OR ${OTHER_OWNER})`,
  emailOf: 'SELECT email FROM account WHERE id = $1',
  leave: `DELETE FROM membership WHERE organisation_id = $1 AND account_id = $2 AND ${OTHER_OWNER}
    AND (CAST($3 AS TEXT) = $2 OR ${ownedBy('$3')})`,
}

const INVITATION_MS = 7 * 86_400_000
/** Anybody can make an account, and with it organisations and invitations: those of one are bounded. */
const MOST_ORGANISATIONS = 100
const MOST_INVITATIONS = 500

/**
 * Organisations, their members and invitations. Sessions read roles with every
 * request, so a change holds from the next one.
 */
export class Organisations {
  readonly #database: IdentityDatabase
  readonly #tokens: OneTimeTokens
  readonly #emit: (event: Event) => void
  readonly #clock: Clock
  readonly #random: RandomSource

  constructor(options: {
    readonly database: IdentityDatabase
    readonly tokens: OneTimeTokens
    readonly emit?: (event: Event) => void
    readonly clock?: Clock
    readonly random?: RandomSource
  }) {
    this.#database = options.database
    this.#tokens = options.tokens
    this.#emit = options.emit ?? (() => {})
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /** Makes an organisation that this account owns. @throws ConfigError for another name, or one too many */
  async create(owner: Account, name: string): Promise<Organisation> {
    if (!/^[^\u0000-\u001f\u007f]{1,100}$/.test(name))
      throw new ConfigError({ place: 'name', problem: 'is not 1 to 100 printable characters' })
    if ((await this.ofAccount(owner.id)).length >= MOST_ORGANISATIONS)
      throw new ConfigError({
        place: 'organisations',
        problem: `this account is in ${MOST_ORGANISATIONS} organisations already`,
        hint: 'leave one first',
      })
    const organisation = { id: freshId(this.#random), name, createdAt: this.#clock.now() }
    await this.#database.batch([
      { text: SQL.insert, values: [organisation.id, name, organisation.createdAt], expect: 1 },
      { text: SQL.join, values: [organisation.id, owner.id, OWNER, organisation.createdAt], expect: 1 },
    ])
    this.#tell('organisation.created', owner.id, { organisation: organisation.id })
    return organisation
  }

  async ofAccount(accountId: string): Promise<readonly Membership[]> {
    return (await this.#database.rows<MembershipRow>(SQL.ofAccount, [accountId])).map(readMembership)
  }

  async members(organisationId: string): Promise<readonly Membership[]> {
    return (await this.#database.rows<MembershipRow>(SQL.members, [organisationId])).map(readMembership)
  }

  /**
   * An invitation for one address: a token to mail there. It is worth nothing to an
   * account with another address, and so is an earlier one for this address from then on.
   * @throws CredentialError when who asks is not an owner, or has 500 live invitations
   */
  async invite(
    inviter: Account,
    organisationId: string,
    email: Email,
    roles: readonly string[],
  ): Promise<string> {
    await this.#mustOwn(inviter, organisationId)
    const data = { organisation: organisationId, email, roles: checkedRoles(roles) }
    if ((await this.#tokens.count('invitation', inviter.id)) >= MOST_INVITATIONS)
      throw new CredentialError('this account has too many invitations that nobody has followed')
    await this.#tokens.revokeAbout('invitation', { organisation: organisationId, email })
    this.#tell('organisation.invited', inviter.id, { organisation: organisationId })
    return this.#tokens.issue('invitation', inviter.id, data, INVITATION_MS)
  }

  /**
   * Takes an invitation up, once, by the account with the invited address, if the inviter is still an owner.
   * @returns undefined when it is not good, or not for this account
   */
  async accept(account: Account, token: string): Promise<Membership | undefined> {
    const seen = await this.#tokens.find('invitation', token)
    const email = field(seen?.data, 'email')
    if (seen === undefined || account.emailVerifiedAt === undefined || parseEmail(account.email) !== email)
      return undefined
    const taken = await this.#tokens.redeem('invitation', token)
    const organisationId = field(taken?.data, 'organisation')
    if (taken === undefined || organisationId === undefined || email === undefined) return undefined
    // Nothing is kept that would bring a member back who is removed later.
    await this.#tokens.revokeAbout('invitation', { organisation: organisationId, email })
    const roles = field(taken.data, 'roles') ?? ''
    const joining = [organisationId, account.id, roles, this.#clock.now(), taken.accountId ?? '']
    const isNew = await this.#database.batch([
      { text: SQL.lock, values: [organisationId] },
      { text: SQL.accept, values: joining, expect: 1 },
    ])
    if (isNew) this.#tell('organisation.joined', account.id, { organisation: organisationId, roles })
    return (await this.ofAccount(account.id)).find(member => member.organisationId === organisationId)
  }

  /**
   * Changes what a member may do. The last owner stays one.
   * @throws CredentialError when who asks is not an owner
   */
  async setRoles(
    owner: Account,
    organisationId: string,
    accountId: string,
    roles: readonly string[],
  ): Promise<boolean> {
    await this.#mustOwn(owner, organisationId)
    const text = checkedRoles(roles)
    const changed = await this.#database.batch([
      { text: SQL.lock, values: [organisationId] },
      { text: SQL.setRoles, values: [organisationId, accountId, text, owner.id], expect: 1 },
    ])
    if (changed)
      this.#tell('organisation.roles-changed', owner.id, {
        organisation: organisationId,
        member: accountId,
        roles: text,
      })
    return changed
  }

  /**
   * Removes a member: an owner anybody, a member themselves. The last owner stays. An invitation that they
   * still have is worth nothing.
   * @throws CredentialError when who asks is neither
   */
  async remove(by: Account, organisationId: string, accountId: string): Promise<boolean> {
    if (by.id !== accountId) await this.#mustOwn(by, organisationId)
    const left = await this.#database.batch([
      { text: SQL.lock, values: [organisationId] },
      { text: SQL.leave, values: [organisationId, accountId, by.id], expect: 1 },
    ])
    if (!left) return false
    const [row] = await this.#database.rows<{ email: string }>(SQL.emailOf, [accountId])
    if (row !== undefined)
      await this.#tokens.revokeAbout('invitation', { organisation: organisationId, email: row.email })
    this.#tell('organisation.left', by.id, { organisation: organisationId, member: accountId })
    return true
  }

  async #mustOwn(account: Account, organisationId: string): Promise<void> {
    const membership = (await this.ofAccount(account.id)).find(
      member => member.organisationId === organisationId,
    )
    if (membership?.roles.includes(OWNER) !== true)
      throw new CredentialError('only an owner of the organisation may do this')
  }

  #tell(type: string, principal: string, data: Readonly<Record<string, string>>): void {
    this.#emit({ type, time: this.#clock.now(), actor: { principal }, data })
  }
}

function readMembership(row: MembershipRow): Membership {
  return { ...row, roles: row.roles === '' ? [] : row.roles.split(' ') }
}

function field(data: unknown, name: string): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const value: unknown = Object.getOwnPropertyDescriptor(data, name)?.value
  return typeof value === 'string' ? value : undefined
}
