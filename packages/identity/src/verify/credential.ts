import type { Exchange, Principal } from '@postern/core'
import { backendCookies, withoutCookies } from '../headers/cookie.ts'

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
  /** Where it stands in the request: what is revoked must not get to the backend, which may not know it. */
  readonly cookies?: readonly string[]
  /** In lower case. */
  readonly headers?: readonly string[]
  /**
   * Whether it would still identify its principal, for what is open since. Rejects where nobody can say.
   */
  readonly again?: () => boolean | Promise<boolean>
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

/** Takes what a principal was identified by out of the request, where its method noted the place. */
export function dropCredential(exchange: Exchange, principal: Principal): void {
  const { cookies = [], headers = [] } = credentials.get(principal) ?? {}
  for (const name of headers) if (exchange.headerCount(name) > 0) exchange.setRequestHeader(name, undefined)
  if (cookies.length > 0)
    exchange.setRequestHeader('cookie', withoutCookies(backendCookies(exchange), cookies))
}
