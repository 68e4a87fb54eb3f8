import type { PagedRequest } from '@postern/console'

/** What the threads of a preview tell each other once each has read its part of the pages. */
export interface Gathered {
  /** Networks, by their tokens, of actors whom the change reaches: a group is known by any of its actors. */
  readonly reached: readonly number[]
  /** Tokens of actors of whom more must be known than the requests below say. */
  readonly busy: readonly number[]
  /** Requests that can change what becomes of others of the same actors: a network and JSON each. */
  readonly notable: readonly string[]
}

/** Requests that are remembered by all threads together. */
const MAX_NOTABLE = 200_000

/** Gathers what one thread finds. Bounded: whose requests find no room is replayed whole. */
export class Gathering {
  readonly #reached = new Set<number>()
  readonly #busy = new Set<number>()
  readonly #notable: string[] = []
  readonly #room: number

  /** @param threads that share the room */
  constructor(threads: number) {
    this.#room = Math.floor(MAX_NOTABLE / threads)
  }

  reach(network: number): void {
    this.#reached.add(network)
  }

  mustReplay(token: number): void {
    this.#busy.add(token)
  }

  /** As text at once: a request holds on to all that was cut out of the same box. */
  remember(network: number, request: PagedRequest): void {
    if (this.#notable.length < this.#room) this.#notable.push(`${network}\n${JSON.stringify(request)}`)
    else this.#busy.add(network)
  }

  get result(): Gathered {
    return { reached: [...this.#reached], busy: [...this.#busy], notable: this.#notable }
  }
}

/** What several threads gathered. */
export function joinedGathered(parts: readonly Gathered[]): Gathered {
  return {
    reached: parts.flatMap(({ reached }) => reached),
    busy: parts.flatMap(({ busy }) => busy),
    notable: parts.flatMap(({ notable }) => notable),
  }
}

/** The remembered requests of those whose network is asked for, by number. */
export function notableOf(
  { notable }: Gathered,
  isWanted: (network: number) => boolean,
): readonly { readonly network: number; readonly request: PagedRequest }[] {
  return notable
    .flatMap(line => {
      const end = line.indexOf('\n')
      const network = Number(line.slice(0, end))
      return isWanted(network) ? [{ network, request: JSON.parse(line.slice(end + 1)) as PagedRequest }] : []
    })
    .sort((a, b) => a.request.id - b.request.id)
}
