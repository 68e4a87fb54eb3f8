import { createHash } from 'node:crypto'
import { type Address, type Exchange, type NetworkWidth, networkOf } from '@postern/core'
import { requireKnownOptions } from '../rule/known-options.ts'

/**
 * Whom a limit is held against, as text. Undefined means that the limit does not apply to this request. A
 * plain function of the exchange is a key too; the ones below also say what they are, for evidence and the
 * command line.
 */
export interface Key {
  (exchange: Exchange): string | undefined | Promise<string | undefined>
  /** `address`, `tenant`, ...: what may be written down of it. */
  readonly kind?: KeyKind
  /**
   * Whether the key is known when the request arrives, or only once somebody said who acts. Default for a
   * function of one's own: `identified`.
   */
  readonly stage?: LimitStage
}

/** When a limit is asked, where an engine learns in between who acts. */
export type LimitStage = 'arrival' | 'identified'

export type KeyKind =
  | 'address'
  | 'network'
  | 'principal'
  | 'tenant'
  | 'apiKey'
  | 'route'
  | 'header'
  | 'body'
  | 'combined'
  | 'custom'

/** Kinds whose values are written down anyway, and hold no secret. */
const PLAIN: ReadonlySet<KeyKind> = new Set(['address', 'network', 'principal', 'tenant', 'apiKey', 'route'])

const LONGEST_KEY = 256
const CACHE_LIMIT = 8_192

/**
 * The client's address, behind trusted proxies: IPv4 whole, IPv6 by its /56, because customers get whole
 * networks and rotate through them (RFC 6177). IPv4-mapped forms are IPv4.
 */
export function address(width: NetworkWidth = {}): Key {
  requireKnownOptions('address', width, ['v4', 'v6'])
  return named('address', 'arrival', networkKey(width))
}

/** Default: The network of the client's address: /24 and /48. */
export function network(width: NetworkWidth = {}): Key {
  requireKnownOptions('network', width, ['v4', 'v6'])
  return named('network', 'arrival', networkKey({ v4: width.v4 ?? 24, v6: width.v6 ?? 48 }))
}

/** Kind and id of who acts, `user:alice`; does not apply to anonymous clients. */
export function principal(): Key {
  return named('principal', 'identified', ({ principal: { kind, id } }) =>
    id === '' ? undefined : `${kind}:${id}`,
  )
}

/** The tenant of who acts; does not apply to those without one. */
export function tenant(): Key {
  return named('tenant', 'identified', exchange => exchange.principal.tenant)
}

/** The id (never the secret) of the API key; does not apply to other credentials. */
export function apiKey(): Key {
  return named('apiKey', 'identified', ({ principal: { kind, id } }) => (kind === 'apiKey' ? id : undefined))
}

/** The pattern of the matched route; does not apply to requests that match none. */
export function route(): Key {
  return named('route', 'arrival', exchange => exchange.route?.pattern)
}

/**
 * The value of a request header. Requests without it share one key, so leaving it out bypasses nothing; so
 * do requests that send it in several lines, of which a backend may take any.
 */
export function header(name: string): Key {
  const lowerName = name.toLowerCase()
  return named('header', 'arrival', exchange =>
    exchange.headerCount(lowerName) > 1 ? '' : (exchange.header(lowerName) ?? ''),
  )
}

/** Several keys as one: applies when all of them do. */
export function combined(...keys: readonly Key[]): Key {
  const isOnArrival = keys.every(key => key.stage === 'arrival')
  return named('combined', isOnArrival ? 'arrival' : 'identified', exchange => {
    const parts: (string | undefined)[] = []
    let waiting = false
    const pending = keys.map(key => key(exchange))
    for (const part of pending) {
      if (part instanceof Promise) waiting = true
      else parts.push(part)
    }
    return waiting ? Promise.all(pending).then(joinParts) : joinParts(parts)
  })
}

/** Each part with its length before it: no two lists of parts give the same text. */
function joinParts(parts: readonly (string | undefined)[]): string | undefined {
  let joined = ''
  for (const part of parts) {
    if (part === undefined) return undefined
    joined += `${part.length}:${part} `
  }
  return joined.slice(0, -1)
}

/** A key that says what it is. */
export function named(kind: KeyKind, stage: LimitStage, read: (exchange: Exchange) => ReturnType<Key>): Key {
  return Object.assign((exchange: Exchange) => read(exchange), { kind, stage })
}

/** A key as stores take it: long ones become a digest, so what a caller sends cannot cost more than that. */
export function boundedKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : `sha256-${createHash('sha256').update(key).digest('base64url')}`
}

/**
 * How a key is written down: itself, or a digest where it may hold something private. `exempt` takes both.
 */
export function writtenKey(kind: KeyKind, key: string): string {
  if (PLAIN.has(kind)) return key
  return `digest-${createHash('sha256').update(key).digest('base64url').slice(0, 22)}`
}

/** Computes a network's text once per address; a whole IPv4 address is its own text. */
function networkKey(width: NetworkWidth): (exchange: Exchange) => string {
  let known = new Map<Address, string>()
  const isWhole = (width.v4 ?? 32) === 32
  return ({ client }) => {
    if (isWhole && !client.includes(':')) return client
    let text = known.get(client)
    if (text === undefined) {
      text = networkOf(client, width)
      if (known.size >= CACHE_LIMIT) known = new Map()
      known.set(client, text)
    }
    return text
  }
}
