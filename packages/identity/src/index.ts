export * from './bind/index.ts'
export * from './built-in/index.ts'
export * from './csrf/index.ts'
export * from './headers/index.ts'
export { type IdentityPlaces, type IdentityStores, openIdentityStores } from './identity-stores.ts'
export * from './login-defence/index.ts'
export {
  type PasskeyAccount,
  PasskeyAccounts,
  type PasskeyAccountsOptions,
  type RegistrationOptions,
  type SignInOptions,
} from './passkey/passkey-accounts.ts'
export * from './revocation/index.ts'
export * from './verify/index.ts'
