import type { Exchange, StepUp, StepUpChallenge, StepUpDemand, StepUpProof } from '@postern/core'
import { SessionPrincipal } from '../session/session-principal.ts'
import type { Confirmations } from './confirmations.ts'
import { isProvenWithin } from './proven-within.ts'
import { safePath } from './safe-path.ts'

/**
 * Step-up for built-in sessions: by time, from when the session was last proven; by act, from a signed
 * confirmation. It makes no session. An impersonated session never satisfies it: the account's holder is not
 * there. For who was identified by something else (a JWT of another provider) the age of that sign-in counts.
 */
export class SessionStepUp implements StepUp {
  readonly #confirmations: Confirmations
  readonly #origin: string
  readonly #base: string

  /** @param base where the pages are: `/.postern` */
  constructor(confirmations: Confirmations, origin: string, base: string) {
    this.#confirmations = confirmations
    this.#origin = origin
    this.#base = base
  }

  async check(exchange: Exchange, demand: StepUpDemand): Promise<StepUpProof | StepUpChallenge> {
    const session = SessionPrincipal.sessionOf(exchange.principal)
    const backTo = this.#backTo(exchange)
    const elsewhere = session === undefined ? provenElsewhere(exchange, demand) : undefined
    if (elsewhere !== undefined) return elsewhere
    if (session === undefined || session.impersonator !== undefined)
      return this.#challenge(demand, this.signIn(exchange))
    if (demand.act !== undefined) {
      const proof = await this.#confirmations.spend(session, demand.act)
      if (proof !== undefined) return proof
      const { nonce } = await this.#confirmations.ask(session, demand.act, backTo)
      return this.#challenge(demand, `${this.#base}/confirm?id=${nonce}`)
    }
    if (isProvenWithin(demand.within, session.authenticatedAt, exchange.time))
      return { amr: session.amr, time: session.authenticatedAt }
    return this.#challenge(demand, `${this.#base}/step-up?back=${encodeURIComponent(backTo)}`)
  }

  signIn(exchange: Exchange): string {
    return `${this.#base}/sign-in?back=${encodeURIComponent(this.#backTo(exchange))}`
  }

  /** A read can be repeated by going there; anything else goes back to the page it was sent from. */
  #backTo(exchange: Exchange): string {
    if (exchange.method === 'GET') return safePath(exchange.source.target, this.#origin) ?? '/'
    const referer = exchange.header('referer')
    return (referer === undefined ? undefined : safePath(referer, this.#origin)) ?? '/'
  }

  /** RFC 9470 section 3, with the place of the page as a parameter of our own for scripts. */
  #challenge(demand: StepUpDemand, location: string): StepUpChallenge {
    const what =
      demand.act === undefined
        ? `error_description="A more recent sign-in is needed", max_age="${Math.floor(demand.within / 1_000)}"`
        : 'error_description="This act must be confirmed"'
    return {
      location,
      authenticate: `Bearer error="insufficient_user_authentication", ${what}, postern_location="${location}"`,
    }
  }
}

/**
 * The sign-in of somebody whom something else identified, where it says when that was and it is young enough.
 */
function provenElsewhere({ principal, time }: Exchange, demand: StepUpDemand): StepUpProof | undefined {
  const provenAt = principal.authenticatedAt
  if (demand.act !== undefined || provenAt === undefined || principal.actor !== undefined) return undefined
  return isProvenWithin(demand.within, provenAt, time)
    ? { amr: principal.amr ?? [], time: provenAt }
    : undefined
}
