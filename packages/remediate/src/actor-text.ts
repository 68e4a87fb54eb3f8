import { type Actor, type ActorKind, addressBytes, CidrSet, ConfigError, parseAddress } from '@postern/core'

const KINDS: ReadonlySet<string> = new Set(['address', 'network', 'principal', 'tenant', 'device', 'key'])
const PRINCIPALS: ReadonlySet<string> = new Set(['user', 'service', 'apiKey', 'account'])
const MAX_VALUE = 256

/**
 * An actor as people write it: `192.0.2.7`, `10.1.0.0/16`, `principal:alice`, `tenant:acme`, `device:...`,
 * `key:...`. Addresses and networks are returned in canonical form.
 * @throws ConfigError for any other text
 */
export function parseActor(text: string): Actor {
  const address = parseAddress(text)
  if (address !== undefined) return { kind: 'address', value: address }
  const colon = text.indexOf(':')
  const kind = text.slice(0, Math.max(0, colon))
  if (KINDS.has(kind)) return canonicalActor({ kind: kind as ActorKind, value: text.slice(colon + 1) })
  if (text.includes('/')) return canonicalActor({ kind: 'network', value: text })
  // The log, approvals and budgets name people by what they are.
  const meant = PRINCIPALS.has(kind) ? `did you mean principal:${text.slice(colon + 1, 60)}? ` : ''
  throw new ConfigError({
    place: 'actor',
    problem: `"${text.slice(0, 60)}" is not an actor`,
    hint: `${meant}e.g. 192.0.2.7, 10.1.0.0/16, principal:alice, tenant:acme, key:ab12`,
  })
}

/**
 * The same actor in canonical spelling; a network of one address becomes that address.
 * @throws ConfigError when the value does not fit the kind, or is longer than 256 characters
 */
export function canonicalActor(actor: Actor): Actor {
  const { kind, value } = actor
  if (value === '' || value.length > MAX_VALUE)
    throw new ConfigError({ place: `${kind} actor`, problem: 'needs a value of 1 to 256 characters' })
  if (kind === 'address') {
    const address = parseAddress(value)
    if (address !== undefined) return { kind, value: address }
    throw new ConfigError({
      place: 'actor',
      problem: `"${value.slice(0, 60)}" is not an address`,
      hint: 'for example address:203.0.113.7',
    })
  }
  if (kind !== 'network') return { kind, value }
  // Parsed for its errors: a range with bits beyond its prefix is a typing mistake that would ban a stranger.
  CidrSet.parse([value], 'actor')
  const slash = value.indexOf('/')
  const base = parseAddress(slash < 0 ? value : value.slice(0, slash))
  if (base === undefined)
    throw new ConfigError({
      place: 'actor',
      problem: `"${value.slice(0, 60)}" is not a network`,
      hint: 'for example network:203.0.113.0/24',
    })
  const width = (addressBytes(base)?.length ?? 4) * 8
  const bits = slash < 0 ? width : Number(value.slice(slash + 1))
  return bits === width ? { kind: 'address', value: base } : { kind, value: `${base}/${bits}` }
}

/** The text `parseActor` reads back. */
export function formatActor(actor: Actor): string {
  return actor.kind === 'address' || actor.kind === 'network' ? actor.value : `${actor.kind}:${actor.value}`
}
