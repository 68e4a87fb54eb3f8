import { revokeGrants } from '../oauth/store/oauth-store.ts'
import type { IdentityParts } from './identity-parts.ts'

/**
 * Deletes an account with everything that hangs on it: sessions, factors, memberships, grants; its API keys
 * are revoked. @returns whether there was one
 */
export async function deleteAccount(
  accountId: string,
  parts: Pick<IdentityParts, 'accounts' | 'apiKeys' | 'database' | 'sessions'>,
): Promise<boolean> {
  await parts.apiKeys.revokeAll({ kind: 'user', id: accountId }, 'account deleted')
  // They may be kept in another store than the account, with what they say about its devices.
  await parts.sessions.revokeAll(accountId)
  await revokeGrants(parts.database, accountId)
  return parts.accounts.remove(accountId)
}
