import { ConfigError, NAMED_RANGES } from '@postern/core'
import { ClientList, type ClientMatch } from '@postern/protocol'
import * as z from 'zod/mini'
import { key, parsed, section } from '../key/key.ts'
import { listOf, rangeMeant, text } from '../key/types.ts'

/** Clients by network and user agent. */
export interface ClientConfig {
  /** An address, a range, `loopback`, `private`, a platform of `trustProxies`, or `all`. Default: any. */
  readonly network?: string | undefined
  /**
   * A part of `User-Agent`, in any letter case. Clients choose it freely, so it never suffices to allow one.
   * Default: any.
   */
  readonly userAgent?: string | undefined
}

const client: z.ZodMiniType<ClientMatch, ClientConfig> = section<ClientMatch, ClientConfig>(
  'ClientConfig',
  () => ({
    network: key(text, {
      description: 'An address, a range, `loopback`, `private`, a platform of `trustProxies`, or `all`.',
      defaultText: 'any',
      example: '203.0.113.0/24',
    }),
    userAgent: key(text, {
      description:
        'A part of `User-Agent`, in any letter case. Clients choose it freely, so it never suffices to allow one.',
      defaultText: 'any',
      example: 'SomeBot/',
    }),
  }),
)

/** No address, and no name of a host with its dots: `python-requests`, `Mozilla/5.0 (X11)`. */
const AGENT = /^[a-z][^.:*/ ]*(?:[/ ].*)?$/i

/** A list of clients, of the whole configuration or of a route. */
export const clientsHere: z.ZodMiniType<ClientList, readonly (string | ClientConfig)[]> = parsed(
  listOf(z.union([text, client])),
  undefined,
  entries => {
    for (const entry of entries) {
      const network = typeof entry === 'string' ? entry : (entry.network ?? '')
      if (network === 'all' || NAMED_RANGES.has(network)) continue
      const isNamed = AGENT.test(network)
      const meant = isNamed || network.includes('*') ? rangeMeant(network) : undefined
      if (meant !== undefined || isNamed)
        throw new ConfigError({
          place: '',
          problem: `"${network.slice(0, 60)}" is not an address or range`,
          hint:
            meant === undefined
              ? `for clients by a part of their User-Agent: { userAgent: "${network.slice(0, 60)}" }`
              : `did you mean "${meant}"?`,
        })
    }
    return ClientList.parse(entries)
  },
)

/** `block`. */
export const block: z.ZodMiniType<ClientList, readonly (string | ClientConfig)[] | undefined> = key(
  clientsHere,
  {
    description:
      'Clients that are refused, without a scenario and forever: addresses, ranges, `all`, or `{ network, userAgent }`.',
    default: [],
    defaultText: 'nobody',
    example: ['203.0.113.0/24', { userAgent: 'SomeBot/' }],
  },
)

/** `allow`. */
export const allow: z.ZodMiniType<ClientList, readonly (string | ClientConfig)[] | undefined> = key(
  clientsHere,
  {
    description:
      'Clients exempt from `block`. Bans and limits still apply: see `remediations.never`, `exempt`.',
    default: [],
    defaultText: 'nobody',
    example: ['203.0.113.7'],
  },
)
