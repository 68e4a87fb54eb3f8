import type { Sessions } from '../session/sessions.ts'
import type { Accounts } from './accounts.ts'
import { endPending } from './end-pending.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'

interface AccountParts {
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly tokens: OneTimeTokens
}

/**
 * Disables an account, and ends its sessions, what was begun with it and its invitations: none of them comes
 * back with the account. @returns false when that changes nothing
 */
export async function disableAccount(
  accountId: string,
  { accounts, sessions, tokens }: AccountParts,
): Promise<boolean> {
  const account = await accounts.byId(accountId)
  if (account === undefined || account.disabledAt !== undefined) return false
  const disabled = await accounts.disable(accountId)
  await sessions.revokeAll(accountId)
  await endPending(tokens, accountId)
  await tokens.revoke('invitation', accountId)
  return disabled
}

/** Lets a disabled account sign in again. @returns false when that changes nothing */
export async function enableAccount(
  accountId: string,
  { accounts }: Pick<AccountParts, 'accounts'>,
): Promise<boolean> {
  const account = await accounts.byId(accountId)
  if (account === undefined || account.disabledAt === undefined) return false
  await accounts.enable(accountId)
  return true
}

/**
 * Ends the sessions of an account, with what was begun in them, or the one that is named.
 * @returns how many were ended
 */
export async function endSessions(
  accountId: string,
  { sessions, tokens }: Pick<AccountParts, 'sessions' | 'tokens'>,
  sessionId?: string,
): Promise<number> {
  const live = await sessions.list(accountId)
  let ended = 0
  for (const { id } of live)
    if ((sessionId === undefined || sessionId === id) && (await sessions.revoke(accountId, id))) ended++
  if (sessionId === undefined) await endPending(tokens, accountId)
  return ended
}
