/**
 * `@postern/vault/unlock`: how a member gets at their secret, by password, passkey, code or shares. For
 * browsers. Needs WebCrypto and nothing of Node.
 */
export { recoverFromShares, recoveryShares } from './held/recovery-shares.ts'
export {
  type Argon2Work,
  type Harden,
  unlockWithCode,
  unlockWithPasskey,
  unlockWithPassword,
  type WrappedRoot,
  wrapWithCode,
  wrapWithPasskey,
  wrapWithPassword,
} from './held/wrapped-root.ts'
