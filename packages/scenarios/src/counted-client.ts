import { type Address, type Event, networkOf } from '@postern/core'
import {
  actorOf,
  addressOf,
  type FieldReader,
  fieldReader,
  ownName,
  principalOf,
  type ResponseActor,
} from './event-fields.ts'

/** Networks of the addresses that were asked about last. */
class Networks {
  #known = new Map<string, string>()

  of(address: string): string {
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const network = networkOf(address as Address)
    if (this.#known.size >= MOST) this.#known = new Map()
    this.#known.set(address, network)
    return network
  }
}

const MOST = 4_096
const networks = new Networks()

/**
 * What the client of an event is counted under: its address, or of IPv6 its /56, as limits and remediations
 * have it. Whoever has one address of a network has all of them, and could be another client with each
 * request.
 */
export function countedAddressOf(event: Event): string | undefined {
  const address = addressOf(event)
  return address?.includes(':') === true ? networks.of(address) : address
}

/** What an actor of that kind is counted under. */
export function countedActorOf(event: Event, kind: ResponseActor): string | undefined {
  if (kind === 'address') return countedAddressOf(event)
  return kind === 'client' ? countedClientOf(event) : actorOf(event, kind)?.value
}

function countedClientOf(event: Event): string | undefined {
  return principalOf(event) ?? countedAddressOf(event)
}

/** The reader of a field that events are grouped by; undefined when there is no such field. */
export function groupReader(name: string): FieldReader | undefined {
  const own = ownName(name)
  if (own === 'actor.address') return countedAddressOf
  return own === 'actor.client' ? countedClientOf : fieldReader(name)
}
