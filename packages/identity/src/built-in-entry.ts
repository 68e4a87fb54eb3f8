export type { Account } from './account/account.ts'
export type { ImportOptions, ImportReport } from './account/import-accounts.ts'
export type { ApiKey } from './api-key/api-key.ts'
export type { NewApiKey } from './api-key/key-wish.ts'
export {
  type BuiltInIdentity,
  type BuiltInIdentityOptions,
  builtInIdentity,
} from './built-in/built-in-identity.ts'
export { type LaterIdentityOptions, laterIdentity } from './built-in/later-identity.ts'
export { fileOutbox } from './mail/file-outbox.ts'
export type { Mail, Mailer } from './mail/mailer.ts'
export { smtpMailer } from './mail/smtp-mailer.ts'
export type { OauthServerOptions } from './oauth/oauth-options.ts'
export type { AccountFactors } from './parts/account-factors.ts'
export type { ExternalProvider } from './parts/external-provider.ts'
export {
  type PasskeyAccount,
  PasskeyAccounts,
  type PasskeyAccountsOptions,
  type RegistrationOptions,
  type SignInOptions,
} from './passkey/passkey-accounts.ts'
export { type Passkey, passkeysTrouble } from './passkey/passkeys.ts'
export type { DeviceSession, Session } from './session/session.ts'
