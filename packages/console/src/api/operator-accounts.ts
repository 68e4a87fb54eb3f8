import { ConfigError } from '@postern/core'
import type { PasskeyAccount, PasskeyAccounts } from '@postern/identity/built-in'
import { ROLES, type Role } from './console-session.ts'

/** What became of a change; `last ...`: the last one who can sign in keeps that role, so nothing changed. */
export type OperatorChange = 'changed' | 'unchanged' | LastOfRole
type LastOfRole = `last ${(typeof KEPT)[number]}`

/** Roles that somebody who can sign in always has. */
const KEPT = ['operator', 'administrator', 'approver'] as const

/** An operator as the console shows them. */
export interface Operator {
  readonly id: string
  /** Name in the audit log: the e-mail address. */
  readonly name: string
  readonly roles: readonly Role[]
  readonly createdAt: number
  /** Whether they were invited and did not come yet. */
  readonly isInvited: boolean
  readonly passkeys: PasskeyAccount['passkeys']
}

/** Roles of an account that the console knows. Whoever may act may look. */
export function rolesOf(roles: readonly string[]): readonly Role[] {
  const known = ROLES.filter(role => roles.includes(role))
  return known.includes('viewer') ? known : ['viewer', ...known]
}

/**
 * The console's own accounts. Changes run one after the other, so that two operators who remove each other at
 * once cannot both succeed; the last operator, administrator or approver who can sign in cannot be removed or
 * lose the role. Nobody is both administrator and approver: who says who may approve does not approve.
 */
export class OperatorAccounts {
  readonly #accounts: PasskeyAccounts
  readonly #listeners = new Set<(name: string) => void>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(accounts: PasskeyAccounts) {
    this.#accounts = accounts
  }

  /** Invited ones among them, newest first. */
  async list(): Promise<readonly Operator[]> {
    return (await this.#accounts.list()).map(shown)
  }

  /** Calls back with the name of whoever must sign in again: other roles, or no account any more. */
  onEnd(listener: (name: string) => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Invites somebody. @returns the secret of the link
   * @throws ConfigError when the name is not an e-mail address, or can sign in already; for roles that do not
   * go together
   */
  async invite(name: string, roles: readonly Role[]): Promise<string> {
    checkDuties(roles)
    const secret = await this.#inTurn(() => this.#accounts.invite(name, roles))
    if (secret !== undefined) return secret
    throw new ConfigError({
      place: 'name',
      problem: 'is not an e-mail address that can be invited',
      hint: 'give an address without an account; remove the account first to invite it again',
    })
  }

  invitation(secret: string, origin: string): ReturnType<PasskeyAccounts['invitation']> {
    return this.#accounts.invitation(secret, origin)
  }

  async accept(secret: string, answer: unknown, origin: string): Promise<Operator | undefined> {
    const account = await this.#accounts.accept(secret, answer, origin)
    return account === undefined ? undefined : shown(account)
  }

  signInOptions(origin: string): ReturnType<PasskeyAccounts['signInOptions']> {
    return this.#accounts.signInOptions(origin)
  }

  async signIn(answer: unknown, origin: string): Promise<Operator | undefined> {
    const account = await this.#accounts.signIn(answer, origin)
    return account === undefined ? undefined : shown(account)
  }

  /** @throws ConfigError for roles that do not go together */
  async setRoles(id: string, roles: readonly Role[]): Promise<OperatorChange> {
    checkDuties(roles)
    return this.#inTurn(async () => {
      const last = await this.#lastRole(id, roles)
      if (last !== undefined) return last
      return this.#ending(id, () => this.#accounts.setRoles(id, roles))
    })
  }

  /** `unchanged`: there is no such account. */
  remove(id: string): Promise<OperatorChange> {
    return this.#inTurn(async () => {
      const last = await this.#lastRole(id, [])
      if (last !== undefined) return last
      return this.#ending(id, () => this.#accounts.remove(id))
    })
  }

  async #ending(id: string, change: () => Promise<boolean>): Promise<OperatorChange> {
    const account = await this.#accounts.byId(id)
    const changed = await change()
    if (changed && account !== undefined) for (const listener of this.#listeners) listener(account.email)
    return changed ? 'changed' : 'unchanged'
  }

  /** The account of a name that can sign in; undefined where there is none any more. */
  async named(name: string): Promise<Operator | undefined> {
    return (await this.list()).find(operator => operator.name === name && !operator.isInvited)
  }

  /** What nobody who can sign in would be any more, if this one had these roles only. */
  async #lastRole(id: string, roles: readonly Role[]): Promise<LastOfRole | undefined> {
    const able = (await this.list()).filter(({ isInvited }) => !isInvited)
    for (const role of KEPT) {
      const holders = able.filter(operator => operator.roles.includes(role))
      if (!roles.includes(role) && holders.length === 1 && holders[0]?.id === id) return `last ${role}`
    }
    return undefined
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

function checkDuties(roles: readonly Role[]): void {
  if (!roles.includes('administrator') || !roles.includes('approver')) return
  throw new ConfigError({
    place: 'roles',
    problem: 'administrator and approver are separate duties, and cannot be of one account',
    hint: 'give them to two people',
  })
}

function shown({ id, email, roles, createdAt, passkeys }: PasskeyAccount): Operator {
  return {
    id,
    name: email,
    roles: rolesOf(roles),
    createdAt,
    isInvited: passkeys.length === 0,
    passkeys,
  }
}
