import type { Event, Exchange } from '@postern/core'
import type { Lane } from './lanes.ts'

/**
 * The event data of a checked login. Accounts are keyed hashes: the log holds no name that was only guessed.
 */
export function outcomeEvent(
  exchange: Exchange,
  account: string,
  lane: Lane,
  outcome: 'failed' | 'succeeded',
): Event {
  return loginEvent(exchange, `login.${outcome}`, { account, lane })
}

/** A link was asked for and mailed, or opened. */
export function linkEvent(exchange: Exchange, account: string, what: 'mailed' | 'opened'): Event {
  return loginEvent(exchange, `login.link-${what}`, { account })
}

/** More first tries fail than usual, over all accounts. */
export function sprayingEvent(exchange: Exchange): Event {
  return loginEvent(exchange, 'login.spraying', {})
}

/** One address or network fails at account after account. */
export function stuffingEvent(exchange: Exchange, kind: 'address' | 'network', value: string): Event {
  return loginEvent(exchange, 'login.stuffing', { kind, value })
}

function loginEvent(exchange: Exchange, type: string, data: Readonly<Record<string, string>>): Event {
  const agent = exchange.header('user-agent')
  const { route } = exchange
  return {
    type,
    time: exchange.time,
    actor: { address: exchange.client, ...(agent !== undefined && { agent: agent.slice(0, 256) }) },
    request: {
      id: exchange.id,
      method: exchange.method.slice(0, 32),
      host: exchange.host.slice(0, 255),
      path: exchange.path.canonical.slice(0, 1_024),
      query: '',
      ...(route !== undefined && { route: route.pattern }),
    },
    data,
  }
}
