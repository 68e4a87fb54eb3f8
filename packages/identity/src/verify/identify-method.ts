import type { Exchange, Principal } from '@postern/core'

/** What one kind of credential says of an exchange. */
export type Identification =
  /** The request has no credential of this kind. */
  | { readonly kind: 'absent' }
  /** It has one, and it does not hold: nobody is identified, whatever other credentials there are. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'known'; readonly principal: Principal }

/** A credential, and whether it says that it is for the method that read it. */
export interface NamedCredential {
  readonly credential: string
  readonly isOwn: boolean
}

/** One way to tell who acts: a session, a token, a key, a certificate, a header of a proxy. */
export interface IdentifyMethod {
  /** As in `identify: ['session', 'jwt']`. */
  readonly name: string
  /** @throws StoreError (or rejects) when it cannot be determined */
  identify(exchange: Exchange): Identification | Promise<Identification>
  /**
   * A credential of this kind that says itself whom it is for: the issuer in a token. Undefined when there is
   * none, or it says nothing. Nothing is verified yet.
   */
  names?(exchange: Exchange): NamedCredential | undefined
  /**
   * Removes what only a trusted proxy may send and somebody else sent. It is called for every request, also
   * where the route does not accept this method or another one decides: the backend reads these headers
   * whoever was identified.
   */
  screen?(exchange: Exchange): void
}

/** Removes headers that must not have arrived, so that neither a guard nor the backend sees them. */
export function removeHeaders(exchange: Exchange, lowerNames: readonly string[]): void {
  for (const name of lowerNames)
    if (exchange.headerCount(name) > 0) exchange.setRequestHeader(name, undefined)
}

/**
 * The headers of a request that a list means, in lower case, as they were sent: `x-corp-*` is all that begin
 * so. `X_Corp_User` counts as `X-Corp-User`: backends in the tradition of CGI read both as one variable.
 */
export function sentNames(exchange: Exchange, list: readonly string[]): readonly string[] {
  const starts = list.filter(entry => entry.endsWith('*')).map(entry => entry.slice(0, -1))
  const found = new Set<string>()
  const { headers } = exchange
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const dashed = name.replaceAll('_', '-')
    if (list.includes(dashed) || starts.some(start => dashed.startsWith(start))) found.add(name)
  }
  return [...found]
}

/** The request carries no credential of this kind; the next method is asked. */
export const ABSENT: Identification = Object.freeze({ kind: 'absent' })
/** A credential of this kind is there and does not hold; no other method is asked. */
export const REFUSED: Identification = Object.freeze({ kind: 'refused' })

/** The credential holds, and this is whose it is. */
export function known(principal: Principal): Identification {
  return { kind: 'known', principal }
}
