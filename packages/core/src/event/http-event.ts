import type { Effect, Reason } from '../decision/decision.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import type { Event, EventActor, EventOutcome, EventRequest } from './event.ts'
import { redactQuery } from './redact-query.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * An ended exchange (or, without an outcome, one about to be handled) as an event. A view: fields that no
 * detector reads are never computed. `toJSON` is the plain form that a recorder writes.
 */
export class HttpEvent implements Event {
  readonly type = 'http'
  readonly exchange: Exchange
  readonly outcome?: EventOutcome
  #actor: EventActor | undefined = undefined
  #request: EventRequest | undefined = undefined

  constructor(exchange: Exchange, outcome: Outcome | undefined) {
    this.exchange = exchange
    if (outcome !== undefined) this.outcome = outcome
  }

  get time(): number {
    return this.exchange.time
  }

  get actor(): EventActor {
    if (this.#actor === undefined) {
      const { client, principal } = this.exchange
      const agent = this.exchange.header('user-agent')
      this.#actor = {
        address: client,
        ...(principal.id !== '' && { principal: principal.id }),
        ...(principal.tenant !== undefined && { tenant: principal.tenant }),
        ...(agent !== undefined && { agent: agent.slice(0, 256) }),
      }
    }
    return this.#actor
  }

  get request(): EventRequest {
    if (this.#request === undefined) {
      const { id, method, host, path, route } = this.exchange
      this.#request = {
        id,
        method: method.slice(0, 32),
        host: host.slice(0, 255),
        path: cut(path.canonical, 1_024),
        query: redactQuery(path.query),
        ...(route !== undefined && { route: route.pattern }),
      }
    }
    return this.#request
  }

  get resource(): { readonly type: string; readonly id?: string } | undefined {
    return this.exchange.resource
  }

  get decision(): Effect {
    return this.exchange.decision.effect
  }

  get observed(): Effect | undefined {
    return this.exchange.observed?.effect
  }

  get guard(): string | undefined {
    const { decision, observed } = this.exchange
    return decision.effect === 'allow' ? observed?.guard : decision.guard
  }

  get reasons(): readonly Reason[] | undefined {
    const { decision, observed } = this.exchange
    return decision.effect === 'allow' ? observed?.reasons : decision.reasons
  }

  toJSON(): Event {
    const { observed, guard, reasons, resource } = this
    return {
      type: this.type,
      time: this.time,
      actor: this.actor,
      request: this.request,
      ...(resource !== undefined && { resource }),
      decision: this.decision,
      ...(observed !== undefined && { observed }),
      ...(guard !== undefined && { guard }),
      ...(reasons !== undefined && { reasons }),
      ...(this.outcome !== undefined && { outcome: this.outcome }),
    }
  }
}

/** The start of a text, never ending in half a surrogate pair: that could not be written as UTF-8. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const last = charCodeAt.call(text, length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
