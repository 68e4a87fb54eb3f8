import { ALLOW, type Exchange, type Guard, narrowestPattern } from '@postern/core'
import type { ClientList } from './client-list.ts'

/** Who may come at all. */
export interface ClientOptions {
  readonly allow: ClientList
  readonly block: ClientList
}

/**
 * The guard of the lists `block` and `allow`: refuses clients by network and user agent, without a
 * scenario and forever. `allow` of a route takes the place of the general one, `block` of a route
 * adds to it; who is on both lists may come.
 *
 * Rule: `clients/block`.
 */
export function clientGuard({ allow, block }: ClientOptions): Guard {
  return {
    name: 'clients',
    failure: 'closed',
    decide: exchange => {
      const settings = exchange.route?.settings
      const isBlocked = block.has(exchange) || settings?.block?.has(exchange) === true
      if (!isBlocked || (settings?.allow ?? allow).has(exchange)) return ALLOW
      return {
        effect: 'deny',
        guard: 'clients',
        status: 403,
        reasons: [
          {
            rule: 'clients/block',
            message: 'Requests from here are not accepted.',
            evidence: { location: 'actor.address', span: exchange.client },
            exception: { changes: [{ at: placeOf(exchange), add: [exchange.client] }] },
          },
        ],
      }
    },
  }
}

/** The list that would let this client in: the route's where it has one, for that is the one in force. */
function placeOf(exchange: Exchange): readonly string[] {
  return exchange.route?.settings.allow === undefined
    ? ['allow']
    : ['routes', exchange.route.pattern ?? narrowestPattern(exchange), 'allow']
}
