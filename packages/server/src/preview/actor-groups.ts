import type { PageHead } from '@postern/console'
import { ActorNumbers, EVERYBODY, NOBODY } from './actor-numbers.ts'
import type { ActorShare } from './preview-plan.ts'

/** What a limit, a ban or a scenario of either configuration may hold several actors together by. */
export type Sharing = 'actors' | 'tenants' | 'all'

/** The actors of one request, by number. */
export interface RowActors {
  network: number
  /** `NOBODY` without one. */
  principal: number
  /** `NOBODY` without one, and where nothing holds tenants together. */
  tenant: number
}

/** What becomes of the requests of a group in one thread. */
export const GROUP = { others: 0, kept: 1, replayed: 2 } as const

/**
 * Actors that may share state, as groups: whoever ever used the same address or was the same principal. What
 * one group did has no effect on another. Disjoint sets with path halving (Tarjan and van Leeuwen, 1984).
 */
export class ActorGroups {
  readonly #sharing: Sharing
  readonly #share: ActorShare
  readonly #numbers = new ActorNumbers()
  readonly #parents: number[] = [EVERYBODY]
  /** The least token of each group, at its root: the same in every thread. */
  readonly #least: number[] = [0]
  /** Of each actor: whether this thread counts what it sent. */
  readonly #counted: boolean[]

  constructor(sharing: Sharing, share: ActorShare) {
    this.#sharing = sharing
    this.#share = share
    this.#counted = [share.index === 0]
  }

  /** Puts the actors of one request into one group, and tells their numbers. */
  add({ networks, principals, tenants }: PageHead, row: number, into: RowActors): void {
    const network = this.#number(networks[row] as number)
    const principal = principals[row] === 0 ? NOBODY : this.#number(principals[row] as number)
    const isTogether = this.#sharing !== 'actors' && tenants[row] !== 0
    const tenant = isTogether ? this.#number(tenants[row] as number) : NOBODY
    into.network = network
    into.principal = principal
    into.tenant = tenant
    if (this.#sharing === 'all') return
    if (principal !== NOBODY) this.#join(network, principal)
    if (tenant !== NOBODY) this.#join(network, tenant)
  }

  /** Tells the numbers of the actors of a request; `NOBODY` for those that were not added. */
  find({ networks, principals, tenants }: PageHead, row: number, into: RowActors): void {
    const known = (token: number): number => (token === 0 ? NOBODY : this.#numbers.find(token))
    into.network = this.#numbers.find(networks[row] as number)
    into.principal = known(principals[row] as number)
    into.tenant = known(tenants[row] as number)
  }

  /** Whether this thread counts what an actor sent: every actor is counted by one of them. */
  counts(actor: number): boolean {
    return this.#counted[actor] === true
  }

  /** The group of one token; undefined where it was not added. */
  ofToken(token: number): number | undefined {
    if (this.#sharing === 'all') return 0
    const number = this.#numbers.find(token)
    return number === NOBODY ? undefined : this.#least[this.#root(number)]
  }

  /** Whether a group is replayed by this thread. */
  isOwn(group: number): boolean {
    return group % this.#share.of === this.#share.index
  }

  /** What becomes of the requests of each group, by the network that sent them. */
  fates(replayed: ReadonlySet<number> | 'all'): GroupFates {
    const fates = new Uint8Array(this.#numbers.end)
    for (let number = 0; number < fates.length; number++) {
      const group = this.#sharing === 'all' ? 0 : (this.#least[this.#root(number)] as number)
      if (!this.isOwn(group)) continue
      fates[number] = replayed === 'all' || replayed.has(group) ? GROUP.replayed : GROUP.kept
    }
    return new GroupFates(this.#numbers, fates)
  }

  #number(token: number): number {
    const number = this.#numbers.of(token)
    if (number === this.#parents.length) {
      this.#parents.push(number)
      this.#least.push(token)
      this.#counted.push(token % this.#share.of === this.#share.index)
    }
    return number
  }

  #join(a: number, b: number): void {
    const one = this.#root(a)
    const other = this.#root(b)
    if (one === other) return
    this.#parents[other] = one
    this.#least[one] = Math.min(this.#least[one] as number, this.#least[other] as number)
  }

  #root(place: number): number {
    const parents = this.#parents
    let at = place
    for (;;) {
      const parent = parents[at] as number
      if (parent === at) return at
      const next = parents[parent] as number
      parents[at] = next
      at = next
    }
  }
}

/** What becomes of requests in one thread, once it is known what the change reaches. */
export class GroupFates {
  readonly #numbers: ActorNumbers
  readonly #fates: Uint8Array

  constructor(numbers: ActorNumbers, fates: Uint8Array) {
    this.#numbers = numbers
    this.#fates = fates
  }

  /** One of `GROUP`; `others` for whoever came since. */
  of(network: number): number {
    const number = this.#numbers.find(network)
    return number === NOBODY ? GROUP.others : (this.#fates[number] ?? GROUP.others)
  }

  /** Whether any group is replayed by this thread. */
  get replaysAny(): boolean {
    return this.#fates.includes(GROUP.replayed)
  }
}
