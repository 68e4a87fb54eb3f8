import type { PageHead } from '@postern/console'

/** What a limit, a ban or a scenario of either configuration may hold several actors together by. */
export type Sharing = 'actors' | 'tenants' | 'all'

/**
 * Actors that may share state, as groups: whoever ever used the same address or was the same principal. What
 * one group did has no effect on another. Disjoint sets with path halving (Tarjan and van Leeuwen, 1984).
 */
export class ActorGroups {
  readonly #sharing: Sharing
  readonly #places = new Map<number, number>()
  readonly #parents: number[] = []
  /** The least token of each group, at its root: the same in every thread. */
  readonly #least: number[] = []

  constructor(sharing: Sharing) {
    this.#sharing = sharing
  }

  /** Puts the actors of one request into one group. */
  add({ networks, principals, tenants }: PageHead, row: number): void {
    const network = this.#place(networks[row] ?? 0)
    const principal = principals[row] ?? 0
    if (principal !== 0) this.#join(network, this.#place(principal))
    const tenant = this.#sharing === 'tenants' ? (tenants[row] ?? 0) : 0
    if (tenant !== 0) this.#join(network, this.#place(tenant))
  }

  /** The group of a request, by its least token; undefined where it was not added. */
  of({ networks }: PageHead, row: number): number | undefined {
    if (this.#sharing === 'all') return 0
    return this.ofToken(networks[row] ?? 0)
  }

  /** The group of one token; undefined where it was not added. */
  ofToken(token: number): number | undefined {
    if (this.#sharing === 'all') return 0
    const place = this.#places.get(token)
    return place === undefined ? undefined : this.#least[this.#root(place)]
  }

  #place(token: number): number {
    const known = this.#places.get(token)
    if (known !== undefined) return known
    const place = this.#parents.length
    this.#places.set(token, place)
    this.#parents.push(place)
    this.#least.push(token)
    return place
  }

  #join(a: number, b: number): void {
    const [one, other] = [this.#root(a), this.#root(b)]
    if (one === other) return
    this.#parents[other] = one
    this.#least[one] = Math.min(this.#least[one] ?? 0, this.#least[other] ?? 0)
  }

  #root(place: number): number {
    const parents = this.#parents
    let at = place
    for (;;) {
      const parent = parents[at] ?? at
      if (parent === at) return at
      const next = parents[parent] ?? parent
      parents[at] = next
      at = next
    }
  }
}
