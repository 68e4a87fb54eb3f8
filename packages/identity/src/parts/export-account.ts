import type { Principal } from '@postern/core'
import type { Account } from '../account/account.ts'
import type { IdentityParts } from './identity-parts.ts'

/**
 * Everything that is kept about an account, for its holder (GDPR article 20). Secrets are not data about a
 * person and stay out: password hash, keys, tokens, the secret of an authenticator app.
 */
export async function exportAccount(
  account: Account,
  parts: Pick<
    IdentityParts,
    'sessions' | 'passkeys' | 'authenticators' | 'recoveryCodes' | 'apiKeys' | 'organisations' | 'accounts'
  >,
): Promise<object> {
  const owner: Principal = { kind: 'user', id: account.id }
  return {
    account,
    formerEmails: await parts.accounts.formerEmails(account.id),
    sessions: await parts.sessions.list(account.id),
    passkeys: await parts.passkeys.list(account.id),
    authenticatorApp: await parts.authenticators.has(account.id),
    recoveryCodesLeft: await parts.recoveryCodes.left(account.id),
    apiKeys: await parts.apiKeys.list(owner),
    organisations: await parts.organisations.ofAccount(account.id),
    externalLogins: await parts.accounts.externalLogins(account.id),
  }
}
