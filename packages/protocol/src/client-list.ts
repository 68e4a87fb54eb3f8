import { CidrSet, ConfigError, type Exchange } from '@postern/core'

/** Clients by where they are and by what they say they are: all that is named has to fit. */
export interface ClientMatch {
  /** Address, range, `loopback`, `private`, ..., or `all`. */
  readonly network?: string | undefined
  /**
   * A part of the header `User-Agent`, in any letter case. Anybody can send any:
   * good for blocking, never enough to allow.
   */
  readonly userAgent?: string | undefined
}

declare module '@postern/core' {
  interface RouteSettings {
    /** Clients that `block` does not apply to here, in place of the general list. */
    readonly allow?: ClientList
    /** Clients that are refused here, besides those of the general list. */
    readonly block?: ClientList
  }
}

const EVERYWHERE: readonly string[] = ['0.0.0.0/0', '::/0']
const MOST_AGENT = 1_024

interface Entry {
  readonly networks: CidrSet
  readonly userAgent: string | undefined
}

/** A list of clients, compiled: networks alone are one set, the rest is looked at one by one. */
export class ClientList {
  readonly #networks: CidrSet
  readonly #entries: readonly Entry[]
  readonly isEmpty: boolean

  private constructor(networks: CidrSet, entries: readonly Entry[]) {
    this.#networks = networks
    this.#entries = entries
    this.isEmpty = networks.isEmpty && entries.length === 0
  }

  /** @throws ConfigError for an entry that names nothing, or what is not a network */
  static parse(entries: readonly (string | ClientMatch)[]): ClientList {
    const alone: string[] = []
    const rest: Entry[] = []
    for (const entry of entries) {
      const { network, userAgent } = typeof entry === 'string' ? { network: entry } : entry
      if (network === undefined && userAgent === undefined)
        throw new ConfigError({
          place: '',
          problem: 'an entry names neither network nor userAgent',
          hint: 'e.g. 203.0.113.0/24, or { userAgent: "SomeBot" }',
        })
      const ranges = network === undefined ? [] : network === 'all' ? EVERYWHERE : [network]
      if (userAgent === undefined) alone.push(...ranges)
      else rest.push({ networks: CidrSet.parse(ranges), userAgent: userAgent.toLowerCase() })
    }
    return new ClientList(CidrSet.parse(alone), rest)
  }

  has(exchange: Exchange): boolean {
    if (this.#networks.has(exchange.client)) return true
    if (this.#entries.length === 0) return false
    const agent = (exchange.header('user-agent') ?? '').slice(0, MOST_AGENT).toLowerCase()
    return this.#entries.some(
      ({ networks, userAgent = '' }) =>
        agent.includes(userAgent) && (networks.isEmpty || networks.has(exchange.client)),
    )
  }
}
