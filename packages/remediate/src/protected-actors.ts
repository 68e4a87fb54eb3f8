import { type Actor, type Address, CidrSet, networkOf, parseAddress, type Remediation } from '@postern/core'
import type { ActorSet } from './remediation-index.ts'

/** What others lift, or enforce again. */
interface ProtectionChange {
  readonly kind: 'added' | 'removed'
  readonly remediation: Remediation
  readonly cause: 'elsewhere'
}

/** Proxies and actors that no remediation applies to. */
export interface ProtectedOptions {
  /**
   * Addresses, CIDR ranges, or `loopback`, `linklocal`, `private`: trusted proxies,
   * the operators' own networks.
   */
  readonly addresses?: readonly string[]
  /** Ids of principals that no remediation may apply to: the operators. */
  readonly principals?: readonly string[]
}

/** The placeholder for clients whose address the carrier cannot know: a ban on it would ban all of them. */
const NOBODY: readonly string[] = ['0.0.0.0', '::']

/** Actors that no remediation may ever apply to: loopback, trusted proxies, operators. */
export class ProtectedActors {
  readonly #addresses: CidrSet
  readonly #principals: ReadonlySet<string>

  /** @throws ConfigError for entries that are not an address or range */
  constructor(options: ProtectedOptions = {}) {
    this.#addresses = CidrSet.parse(
      ['loopback', ...NOBODY, ...(options.addresses ?? [])],
      'remediations.protect',
    )
    this.#principals = new Set(options.principals)
  }

  /**
   * Whether a remediation of this actor would affect one of them; a network counts when
   * it contains a single protected address.
   */
  covers(actor: Actor): boolean {
    if (actor.kind === 'address' || actor.kind === 'network') return this.#addresses.overlaps(actor.value)
    return actor.kind === 'principal' && this.#principals.has(actor.value)
  }

  /** The actors of a request without those that are protected. Makes no new set where none is. */
  without(actors: ActorSet): ActorSet {
    const address =
      actors.address !== undefined && this.hasAddress(actors.address) ? undefined : actors.address
    const principal =
      actors.principal !== undefined && this.hasPrincipal(actors.principal) ? undefined : actors.principal
    return address === actors.address && principal === actors.principal
      ? actors
      : { ...actors, address, principal }
  }

  /** An IPv6 address as its /56, unless that would cover one of them. */
  widened(actor: Actor): Actor {
    if (actor.kind !== 'address' || !actor.value.includes(':')) return actor
    const network: Actor = { kind: 'network', value: networkOf(actor.value as Address) }
    return this.covers(network) ? actor : network
  }

  /** What others lift or enforce again, now that these actors are protected and not those before. */
  *changesFrom(before: ProtectedActors, all: Iterable<Remediation>): Generator<ProtectionChange> {
    for (const remediation of all) {
      const is = this.covers(remediation.actor)
      if (is !== before.covers(remediation.actor))
        yield { kind: is ? 'removed' : 'added', remediation, cause: 'elsewhere' }
    }
  }

  hasAddress(text: string): boolean {
    const address = parseAddress(text)
    return address !== undefined && this.#addresses.has(address)
  }

  hasPrincipal(id: string): boolean {
    return this.#principals.has(id)
  }
}
