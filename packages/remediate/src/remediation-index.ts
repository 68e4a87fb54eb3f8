import type { Actor, Measure, Remediation } from '@postern/core'
import { NetworkIndex } from './network-index.ts'

/** The actors of one exchange. */
export interface ActorSet {
  readonly address?: string | undefined
  readonly principal?: string | undefined
  readonly tenant?: string | undefined
  readonly device?: string | undefined
  readonly key?: string | undefined
}

const STRENGTH: Readonly<Record<Measure, number>> = { throttle: 1, challenge: 2, block: 3 }
/** Of more the weakest is dropped: no actor needs more reasons than that. */
const MAX_PER_ACTOR = 16

/**
 * All live remediations in memory, found by actor without waiting. Bounded: when it is full, those that
 * expire soonest are evicted, but never one that a person set.
 */
export class RemediationIndex {
  readonly #byId = new Map<string, Remediation>()
  readonly #byActor: Readonly<Record<Exclude<Actor['kind'], 'network'>, Map<string, Remediation[]>>> = {
    address: new Map(),
    principal: new Map(),
    tenant: new Map(),
    device: new Map(),
    key: new Map(),
  }
  readonly #networks = new NetworkIndex<Remediation[]>()
  readonly #capacity: number

  /** @param capacity most remediations kept */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string): Remediation | undefined {
    return this.#byId.get(id)
  }

  values(): IterableIterator<Remediation> {
    return this.#byId.values()
  }

  /** The remediation of the same kind and origin that this actor already has. */
  twin(actor: Actor, measure: Measure, origin: string): Remediation | undefined {
    return this.#of(actor)?.find(known => known.measure === measure && known.origin === origin)
  }

  /** All remediations that name exactly this actor. */
  against(actor: Actor): readonly Remediation[] {
    return this.#of(actor) ?? []
  }

  /** Adds or replaces by id. @returns what was evicted, usually nothing */
  put(remediation: Remediation, now: number): readonly Remediation[] {
    const known = this.#byId.get(remediation.id)
    if (known !== undefined) this.delete(known.id)
    const dropped = this.#byId.size >= this.#capacity ? this.#makeRoom(remediation, now) : []
    if (dropped.includes(remediation)) return dropped
    const list = this.#of(remediation.actor)
    if (list === undefined) this.#setActor(remediation.actor, [remediation])
    else {
      const weakest = list.length < MAX_PER_ACTOR ? undefined : weakestOf([...list, remediation])
      if (weakest === remediation) return [...dropped, remediation]
      list.push(remediation)
      this.#byId.set(remediation.id, remediation)
      if (weakest === undefined) return dropped
      this.delete(weakest.id)
      return [...dropped, weakest]
    }
    this.#byId.set(remediation.id, remediation)
    return dropped
  }

  delete(id: string): Remediation | undefined {
    const remediation = this.#byId.get(id)
    if (remediation === undefined) return undefined
    this.#byId.delete(id)
    const rest = this.against(remediation.actor).filter(other => other.id !== id)
    if (rest.length > 0) this.#setActor(remediation.actor, rest)
    else if (remediation.actor.kind === 'network') this.#networks.delete(remediation.actor.value)
    else this.#byActor[remediation.actor.kind].delete(remediation.actor.value)
    return remediation
  }

  /** The strongest active remediation, and of equals the one that lasts longest. */
  strongest(actors: ActorSet, now: number): Remediation | undefined {
    let best: Remediation | undefined
    const consider = (list: readonly Remediation[]): void => {
      for (const candidate of list) {
        if (candidate.expiresAt <= now) continue
        if (best === undefined || isStronger(candidate, best)) best = candidate
      }
    }
    this.#visit(actors, consider)
    return best
  }

  /** Every active remediation of any of the actors, strongest first. */
  all(actors: ActorSet, now: number): readonly Remediation[] {
    const found: Remediation[] = []
    this.#visit(actors, list => found.push(...list.filter(remediation => remediation.expiresAt > now)))
    return found.sort((a, b) => (isStronger(a, b) ? -1 : 1))
  }

  /** Removes what has expired. */
  sweep(now: number): readonly Remediation[] {
    const ended: Remediation[] = []
    for (const remediation of this.#byId.values()) if (remediation.expiresAt <= now) ended.push(remediation)
    for (const remediation of ended) this.delete(remediation.id)
    return ended
  }

  #visit(actors: ActorSet, found: (list: readonly Remediation[]) => void): void {
    if (actors.address !== undefined) {
      const list = this.#byActor.address.get(actors.address)
      if (list !== undefined) found(list)
      this.#networks.each(actors.address, found)
    }
    for (const kind of ['principal', 'tenant', 'device', 'key'] as const) {
      const value = actors[kind]
      const list = value === undefined ? undefined : this.#byActor[kind].get(value)
      if (list !== undefined) found(list)
    }
  }

  /** A hundredth at a time, so that a flood of new remediations sorts rarely. */
  #makeRoom(incoming: Remediation, now: number): readonly Remediation[] {
    if (this.sweep(now).length > 0) return []
    const candidates = [...this.#byId.values()].filter(remediation => remediation.origin !== 'manual')
    if (candidates.length === 0) return [incoming]
    candidates.sort((a, b) => a.expiresAt - b.expiresAt)
    const dropped = candidates.slice(0, Math.max(1, Math.floor(this.#capacity / 100)))
    for (const remediation of dropped) this.delete(remediation.id)
    return dropped
  }

  #of(actor: Actor): Remediation[] | undefined {
    return actor.kind === 'network'
      ? this.#networks.get(actor.value)
      : this.#byActor[actor.kind].get(actor.value)
  }

  #setActor(actor: Actor, list: Remediation[]): void {
    if (actor.kind === 'network') this.#networks.set(actor.value, list)
    else this.#byActor[actor.kind].set(actor.value, list)
  }
}

/** The one that is missed least; what a person set only when nothing else is there. */
function weakestOf(list: readonly Remediation[]): Remediation | undefined {
  const others = list.filter(({ origin }) => origin !== 'manual')
  return (others.length > 0 ? others : list).reduce((weakest, one) =>
    isStronger(weakest, one) ? one : weakest,
  )
}

function isStronger(a: Remediation, b: Remediation): boolean {
  const difference = STRENGTH[a.measure] - STRENGTH[b.measure]
  return difference > 0 || (difference === 0 && a.expiresAt > b.expiresAt)
}
