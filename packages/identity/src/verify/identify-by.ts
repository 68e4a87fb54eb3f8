import type { Event, Exchange, Identify, Principal } from '@postern/core'
import type { Identification, IdentifyMethod } from './identify-method.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /** Names of the methods that this route accepts, in order. Default: all. */
    readonly identify?: readonly string[]
  }
}

export interface IdentifyByOptions {
  /** Receives `credential.refused` events. */
  readonly onEvent?: (event: Event) => void
}

/**
 * Combines methods: the first whose credential is present decides. A credential that does not hold
 * makes the request anonymous, even when a later one would have held: of two credentials that disagree,
 * the backend may believe the other one. Of several methods that read the same tokens, the one whose issuer
 * a token names decides.
 * @example
 * postern({ identify: identifyBy([session, jwtMethod({ ... }), apiKeys]) })
 */
export function identifyBy(methods: readonly IdentifyMethod[], options: IdentifyByOptions = {}): Identify {
  const take = (exchange: Exchange, method: IdentifyMethod, said: Identification): Principal | undefined => {
    if (said.kind === 'known') return said.principal
    options.onEvent?.(refusedEvent(exchange, method.name))
    return undefined
  }
  const rest = async (
    exchange: Exchange,
    list: readonly IdentifyMethod[],
    at: number,
    pending: Promise<Identification>,
  ): Promise<Principal | undefined> => {
    let said = await pending
    for (let i = at; ; ) {
      if (said.kind !== 'absent') return take(exchange, list[i] as IdentifyMethod, said)
      i = nextOf(exchange, list, i + 1)
      const next = list[i]
      if (next === undefined) return undefined
      said = await next.identify(exchange)
    }
  }
  const screen = screenBy(methods)
  return exchange => {
    screen(exchange)
    const names = exchange.route?.settings.identify
    const list = names === undefined ? methods : pick(methods, names)
    for (let i = nextOf(exchange, list, 0); i < list.length; i = nextOf(exchange, list, i + 1)) {
      const method = list[i] as IdentifyMethod
      const said = method.identify(exchange)
      if (said instanceof Promise) return rest(exchange, list, i, said)
      if (said.kind !== 'absent') return take(exchange, method, said)
    }
    return undefined
  }
}

/**
 * The next method to ask. One whose credential names another issuer is left out where a later method reads
 * the same credential and is the one that it names; elsewhere it stays its own, and is refused.
 */
function nextOf(exchange: Exchange, list: readonly IdentifyMethod[], from: number): number {
  let at = from
  while (hasOther(list, at)) {
    const read = list[at]?.names?.(exchange)
    if (read === undefined || read.isOwn || !isForOther(exchange, list, at, read.credential)) return at
    at++
  }
  return at
}

/** Whether a method and a later one can tell whom a credential is for: else none need be read for it. */
function hasOther(list: readonly IdentifyMethod[], at: number): boolean {
  if (list[at]?.names === undefined) return false
  for (let i = at + 1; i < list.length; i++) if (list[i]?.names !== undefined) return true
  return false
}

function isForOther(
  exchange: Exchange,
  list: readonly IdentifyMethod[],
  at: number,
  credential: string,
): boolean {
  for (let i = at + 1; i < list.length; i++) {
    const read = list[i]?.names?.(exchange)
    if (read?.isOwn === true && read.credential === credential) return true
  }
  return false
}

/** What removes headers of proxies from requests that did not come through them, for all of some methods. */
export function screenBy(methods: readonly IdentifyMethod[]): (exchange: Exchange) => void {
  const screening = methods.filter(method => method.screen !== undefined)
  return exchange => {
    for (const method of screening) method.screen?.(exchange)
  }
}

function pick(methods: readonly IdentifyMethod[], names: readonly string[]): readonly IdentifyMethod[] {
  return names
    .map(name => methods.find(method => method.name === name))
    .filter(method => method !== undefined)
}

function refusedEvent(exchange: Exchange, method: string): Event {
  return {
    type: 'credential.refused',
    time: exchange.time,
    actor: { address: exchange.client },
    data: { method, path: exchange.path.canonical.slice(0, 1_024) },
  }
}
