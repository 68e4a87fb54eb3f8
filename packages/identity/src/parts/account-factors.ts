import type { Passkey } from '../passkey/passkeys.ts'
import type { IdentityParts } from './identity-parts.ts'

/** What an account can prove itself by; never the secrets. */
export interface AccountFactors {
  readonly password: boolean
  readonly passkeys: readonly Passkey[]
  /** Whether codes of an authenticator (RFC 6238) are accepted. */
  readonly authenticator: boolean
  /** Recovery codes that were not used yet. */
  readonly recoveryCodes: number
  /** Issuers of other providers that it signs in with. */
  readonly providers: readonly string[]
}

/** The factors of an account; none of an unknown one. */
export async function accountFactors(
  accountId: string,
  parts: Pick<IdentityParts, 'accounts' | 'passkeys' | 'authenticators' | 'recoveryCodes'>,
): Promise<AccountFactors> {
  const account = await parts.accounts.byId(accountId)
  const logins = await parts.accounts.externalLogins(accountId)
  return {
    password: account?.hasPassword ?? false,
    passkeys: await parts.passkeys.list(accountId),
    authenticator: await parts.authenticators.has(accountId),
    recoveryCodes: await parts.recoveryCodes.left(accountId),
    providers: logins.map(({ issuer }) => issuer),
  }
}
