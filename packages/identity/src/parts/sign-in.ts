import type { Clock, Event } from '@postern/core'
import { type Account, isAsOf, stateOf } from '../account/account.ts'
import type { Accounts } from '../account/accounts.ts'
import { parseEmail } from '../account/email.ts'
import type { OneTimeTokens } from '../account/one-time-tokens.ts'
import type { Passkeys } from '../passkey/passkeys.ts'
import type { Passwords } from '../password/passwords.ts'
import type { IssuedSession, Sessions } from '../session/sessions.ts'
import type { Authenticators } from '../totp/authenticators.ts'
import type { RecoveryCodes } from '../totp/recovery-codes.ts'

/** Where a sign-in comes from. */
export interface SignInContext {
  readonly address: string
  readonly agent: string
  /**
   * The session token the client had, if any: its session ends with the sign-in, so
   * no token from before survives it.
   */
  readonly previousToken: string
}

/** What a step of signing in led to. A refusal never says what was wrong. */
export type SignInResult =
  | { readonly kind: 'signed-in'; readonly account: Account; readonly session: IssuedSession }
  /**
   * The first factor was right. The token names this half of a sign-in; it is not a session, and nothing
   * but a second factor can be done with it.
   */
  | { readonly kind: 'second-factor'; readonly token: string }
  | { readonly kind: 'refused' }

export interface SignInParts {
  readonly accounts: Accounts
  readonly tokens: OneTimeTokens
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly passkeys: Passkeys
  readonly authenticators: Authenticators
  readonly recoveryCodes: RecoveryCodes
  readonly clock: Clock
  readonly emit: (event: Event) => void
}

const SECOND_FACTOR_MS = 600_000
/** Codes that one half-finished sign-in may try. */
const MOST_CODES = 5
const REFUSED: SignInResult = { kind: 'refused' }

/** Signing in, step by step. */
export class SignIn {
  readonly #parts: SignInParts

  constructor(parts: SignInParts) {
    this.#parts = parts
  }

  /**
   * By e-mail address and password. An unknown address, a disabled account and one without a password take
   * the same work and get the same answer.
   * @throws QueueFull
   */
  async password(emailText: string, password: string, context: SignInContext): Promise<SignInResult> {
    const { accounts, passwords } = this.#parts
    const email = parseEmail(emailText)
    const found = email === undefined ? undefined : await accounts.credentialsOf(email)
    const account = found?.account
    const stored = found?.passwordHash
    const check = await passwords.verify(password, stored)
    if (account === undefined || account.disabledAt !== undefined || !check.matches)
      return this.#refuse(account, 'pwd', context)
    if (check.upgrade !== undefined && stored !== undefined)
      await accounts.upgradePassword(account.id, stored, check.upgrade)
    return this.#firstFactor(account, ['pwd'], context)
  }

  /** By the token of a mailed link, which is used up. */
  async link(token: string, context: SignInContext): Promise<SignInResult> {
    const redeemed = await this.#parts.tokens.redeem('sign-in-link', token)
    const account =
      redeemed?.accountId === undefined ? undefined : await this.#parts.accounts.byId(redeemed.accountId)
    // Read after the link was used up: what was changed in between ended the link.
    if (account === undefined || account.disabledAt !== undefined || !isAsOf(redeemed?.data, account))
      return this.#refuse(account, 'link', context)
    return this.#firstFactor(account, ['link'], context)
  }

  /**
   * By a sign-in at another provider that belongs to the account.
   * @param provenAt when the person proved themselves there: who only comes back is not asked again
   */
  async external(account: Account, context: SignInContext, provenAt: number): Promise<SignInResult> {
    if (account.disabledAt !== undefined) return this.#refuse(account, 'fed', context)
    return this.#firstFactor(account, ['fed'], context, provenAt)
  }

  /** By a code of the authenticator app, or a recovery code, after a right first factor. */
  async secondFactor(pending: string, code: string, context: SignInContext): Promise<SignInResult> {
    const { accounts, tokens, authenticators, recoveryCodes } = this.#parts
    const half = await tokens.tryOnce('second-factor', pending, MOST_CODES)
    const account = half?.accountId === undefined ? undefined : await accounts.byId(half.accountId)
    if (account === undefined || account.disabledAt !== undefined || !isAsOf(half?.data, account))
      return this.#refuse(account, 'otp', context)
    const isRight =
      (await authenticators.verify(account.id, code)) || (await recoveryCodes.redeem(account.id, code))
    if (!isRight) return this.#refuse(account, 'otp', context)
    // Redeeming can fail only when another request with a right code was quicker.
    if ((await tokens.redeem('second-factor', pending)) === undefined) return REFUSED
    return this.begin(account, [...methodsOf(half?.data), 'otp', 'mfa'], context)
  }

  /** By a passkey: two factors at once, what one has and a finger, a face or a PIN. */
  async passkey(answer: unknown, context: SignInContext): Promise<SignInResult> {
    const { passkeys, accounts } = this.#parts
    const owner = await passkeys.ownerOf(answer)
    // Read before the passkey is verified, so that `begin` sees what was changed since.
    const account = owner === undefined ? undefined : await accounts.byId(owner)
    const proven = await passkeys.signIn(answer)
    if (account === undefined || account.disabledAt !== undefined || proven?.accountId !== account.id)
      return this.#refuse(account, 'hwk', context)
    return this.begin(account, ['hwk', 'user', 'mfa'], context)
  }

  /**
   * Begins a session for an account that proved itself; the one before it ends. Refused where the account was
   * disabled or got another password or address since it was read: that ended all sessions, and this one may
   * have come after it.
   * @param provenAt default: now
   */
  async begin(
    account: Account,
    amr: readonly string[],
    context: SignInContext,
    provenAt?: number,
  ): Promise<SignInResult> {
    const { sessions, emit, clock } = this.#parts
    if (context.previousToken !== '') await sessions.end(context.previousToken)
    const { address, agent } = context
    const session = await sessions.begin({
      ...{ accountId: account.id, amr, address, agent },
      ...(provenAt !== undefined && { authenticatedAt: provenAt }),
    })
    if (!(await this.#isUnchanged(account))) {
      await sessions.end(session.token)
      return this.#refuse(account, amr.join(' '), context)
    }
    emit({
      type: 'login.succeeded',
      time: clock.now(),
      actor: { principal: account.id, address },
      data: { amr: amr.join(' ') },
    })
    return { kind: 'signed-in', account, session }
  }

  async #firstFactor(
    account: Account,
    amr: readonly string[],
    context: SignInContext,
    provenAt?: number,
  ): Promise<SignInResult> {
    if (!(await this.#parts.authenticators.has(account.id)))
      return this.begin(account, amr, context, provenAt)
    const token = await this.#parts.tokens.issue(
      'second-factor',
      account.id,
      { amr, state: stateOf(account) },
      SECOND_FACTOR_MS,
    )
    return (await this.#isUnchanged(account))
      ? { kind: 'second-factor', token }
      : this.#refuse(account, amr.join(' '), context)
  }

  /** Whether what was proven of an account still counts: verifying a password takes its time. */
  async #isUnchanged(account: Account): Promise<boolean> {
    const now = await this.#parts.accounts.byId(account.id)
    return now !== undefined && now.disabledAt === undefined && stateOf(now) === stateOf(account)
  }

  #refuse(account: Account | undefined, method: string, context: SignInContext): SignInResult {
    this.#parts.emit({
      type: 'login.failed',
      time: this.#parts.clock.now(),
      actor: { address: context.address, ...(account !== undefined && { principal: account.id }) },
      data: { method },
    })
    return REFUSED
  }
}

/** The first factor of a half-finished sign-in. */
function methodsOf(data: unknown): readonly string[] {
  const amr = typeof data === 'object' && data !== null && 'amr' in data ? data.amr : undefined
  return Array.isArray(amr) ? amr.filter(item => typeof item === 'string') : []
}
