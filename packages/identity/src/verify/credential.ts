import type { Principal } from '@postern/core'

/** What a principal was identified by, for a list of what was revoked before its end. */
export interface Credential {
  /** Id of the session or token, if it has one. */
  readonly session: string | undefined
  /** When it was issued, epoch milliseconds; 0 where that is not known. */
  readonly issuedAt: number
}

/** Beside the principal and not in it: a principal goes into events, and a session's id must not. */
const credentials = new WeakMap<Principal, Credential>()

/** Notes what a principal was identified by. @returns the principal */
export function identifiedBy(principal: Principal, credential: Credential): Principal {
  credentials.set(principal, credential)
  return principal
}

/** What a principal was identified by; undefined where no method noted it. */
export function credentialOf(principal: Principal): Credential | undefined {
  return credentials.get(principal)
}
