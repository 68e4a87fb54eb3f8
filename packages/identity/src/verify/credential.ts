import type { Principal } from '@postern/core'

/** What a principal was identified by, for a list of what was revoked before its end. */
export interface Credential {
  /** Id of the session or token, if it has one. */
  readonly session: string | undefined
  /** When it was issued, epoch milliseconds; 0 where that is not known. */
  readonly issuedAt: number
  /**
   * Whether the connection identifies, so that a browser brings it along for a page of any site: a client
   * certificate, a proxy that signs in. Default: something in the request.
   */
  readonly isAmbient?: true
}

/** Of a principal that the connection identifies. */
export const BY_CONNECTION: Credential = Object.freeze({ session: undefined, issuedAt: 0, isAmbient: true })

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
