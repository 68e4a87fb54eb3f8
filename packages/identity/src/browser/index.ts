export { type BoundPage, keepSessionBound } from './keep-session-bound.ts'
export {
  confirmAct,
  createPasskey,
  fetchConfirmed,
  hasPasskeys,
  PasskeyError,
  type PasskeyFault,
  type PasskeyOptions,
  proveWithPasskey,
  signInWithPasskey,
} from './passkeys.ts'
export type { BoundState } from './session-keeper.ts'
