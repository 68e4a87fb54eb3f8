import type { Clock, Event } from '@postern/core'
import type { Accounts } from '../account/accounts.ts'
import type { OneTimeTokens } from '../account/one-time-tokens.ts'
import type { Organisations } from '../account/organisations.ts'
import type { ApiKeys } from '../api-key/api-keys.ts'
import type { IdentityDatabase } from '../database/identity-database.ts'
import type { IdentitySecret } from '../database/identity-secret.ts'
import type { Postman } from '../mail/postman.ts'
import type { Passkeys } from '../passkey/passkeys.ts'
import type { Passwords } from '../password/passwords.ts'
import type { CookieJar } from '../session/cookies.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Confirmations } from '../step-up/confirmations.ts'
import type { WrongProofs } from '../step-up/wrong-proofs.ts'
import type { Authenticators } from '../totp/authenticators.ts'
import type { RecoveryCodes } from '../totp/recovery-codes.ts'
import type { ExternalProvider } from './external-provider.ts'

/** Everything that built-in identity is made of, put together once. */
export interface IdentityParts {
  readonly database: IdentityDatabase
  readonly secret: IdentitySecret
  readonly accounts: Accounts
  readonly tokens: OneTimeTokens
  readonly organisations: Organisations
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly passkeys: Passkeys
  readonly authenticators: Authenticators
  readonly recoveryCodes: RecoveryCodes
  readonly confirmations: Confirmations
  readonly wrongProofs: WrongProofs
  readonly apiKeys: ApiKeys
  readonly postman: Postman
  readonly cookies: CookieJar
  readonly clock: Clock
  readonly emit: (event: Event) => void
  /** `https://shop.example`. */
  readonly origin: string
  /** Where the pages are: `/.postern`. */
  readonly base: string
  /** Name of the site, on pages and in mails. */
  readonly siteName: string
  /** Whether anybody may make an account. */
  readonly signUp: 'open' | 'closed'
  /** Whether a mailed link signs in. */
  readonly mailedLinks: 'sign-in' | 'never'
  /** Where to go after signing in, when nothing else was asked for. */
  readonly home: string
  /** Names of other providers that people can sign in with, in order, with what a button says. */
  readonly providers: readonly ExternalProvider[]
}
