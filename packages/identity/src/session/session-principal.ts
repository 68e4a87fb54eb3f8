import type { Principal } from '@postern/core'
import type { Session } from './session.ts'

/**
 * The principal of a request that carries a session. It remembers the session, so that step-up
 * and the pages need not look it up again.
 */
export class SessionPrincipal implements Principal {
  readonly kind = 'user'
  readonly id: string
  readonly tenant?: string
  readonly roles?: readonly string[]
  readonly authenticatedAt: number
  readonly amr: readonly string[]
  readonly actor?: string
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
    this.id = session.accountId
    this.authenticatedAt = session.authenticatedAt
    this.amr = session.amr
    if (session.organisationId !== undefined) {
      this.tenant = session.organisationId
      this.roles = session.roles
    }
    if (session.impersonator !== undefined) this.actor = session.impersonator
  }

  /** The session behind a principal, or undefined when it has another credential. */
  static sessionOf(principal: Principal): Session | undefined {
    return principal instanceof SessionPrincipal ? principal.#session : undefined
  }
}
