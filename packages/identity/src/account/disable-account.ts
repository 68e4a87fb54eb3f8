import type { Sessions } from '../session/sessions.ts'
import type { Accounts } from './accounts.ts'

interface AccountParts {
  readonly accounts: Accounts
  readonly sessions: Sessions
}

/** Disables an account and ends its sessions. @returns false when that changes nothing */
export async function disableAccount(
  accountId: string,
  { accounts, sessions }: AccountParts,
): Promise<boolean> {
  const account = await accounts.byId(accountId)
  if (account === undefined || account.disabledAt !== undefined) return false
  const disabled = await accounts.disable(accountId)
  await sessions.revokeAll(accountId)
  return disabled
}

/** Lets a disabled account sign in again. @returns false when that changes nothing */
export async function enableAccount(accountId: string, { accounts }: AccountParts): Promise<boolean> {
  const account = await accounts.byId(accountId)
  if (account === undefined || account.disabledAt === undefined) return false
  await accounts.enable(accountId)
  return true
}

/** Ends the sessions of an account, or the one that is named. @returns how many were ended */
export async function endSessions(
  accountId: string,
  sessions: Sessions,
  sessionId?: string,
): Promise<number> {
  const live = await sessions.list(accountId)
  let ended = 0
  for (const { id } of live)
    if ((sessionId === undefined || sessionId === id) && (await sessions.revoke(accountId, id))) ended++
  return ended
}
