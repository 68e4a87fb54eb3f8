import type { Principal } from '@postern/core'
import type { Session } from './session.ts'

/** Stands before a role that somebody has in an organisation, and not on the whole site. */
const IN_TENANT = 'tenant:'

/**
 * The principal of a request that carries a session. It remembers the session, so that step-up
 * and the pages need not look it up again. Anybody may make an organisation, own it, and give roles in it:
 * they are `tenant:owner`, so that they never pass for a role of the site.
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
    if (session.organisationId !== undefined) this.tenant = session.organisationId
    if (session.siteRoles.length > 0 || session.organisationId !== undefined)
      this.roles = [...session.siteRoles, ...session.roles.map(role => IN_TENANT + role)]
    if (session.impersonator !== undefined) this.actor = session.impersonator
  }

  /** The session behind a principal, or undefined when it has another credential. */
  static sessionOf(principal: Principal): Session | undefined {
    return principal instanceof SessionPrincipal ? principal.#session : undefined
  }
}
