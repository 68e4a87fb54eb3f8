import type { Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, orOff, parsed, required, section } from '../key/key.ts'
import { addressRange, count, duration, flag, listOf, text, webUrl } from '../key/types.ts'

/** An IP list at Cloudflare. */
export interface CloudflareConfig {
  /** Id of the account, 32 hexadecimal digits. */
  readonly account: string
  /** Id of an IP list, which a rule of yours blocks. */
  readonly list: string
  /** An API token that may edit account filter lists. A secret: write `${NAME}`. */
  readonly token: string
  /** Time between two exports. Default: `1m`. */
  readonly every?: Duration | undefined
  /** Most items in the list; when there are more bans, those that last longest are kept. Default: `10000`. */
  readonly capacity?: number | undefined
  /** Address of Cloudflare's API. Default: `https://api.cloudflare.com/client/v4`. */
  readonly api?: string | undefined
}

/** An IP list at Cloudflare, compiled. */
export interface CompiledCloudflare {
  readonly account: string
  readonly list: string
  readonly token: string
  /** Milliseconds. */
  readonly every: number
  readonly capacity: number
  readonly api: string
}

/** Two sets of the kernel's firewall. */
export interface NftablesConfig {
  /** Name of the nftables table, in the family `inet`. Default: `postern`. */
  readonly table?: string | undefined
}

/** Two sets of the kernel's firewall, with their default. */
export interface CompiledNftables {
  readonly table: string
}

/** Bans, throttles and challenges against actors. */
export interface RemediationsConfig {
  /** Addresses and ranges that are never banned. Loopback and trusted proxies never are. Default: none. */
  readonly never?: readonly string[] | undefined
  /** Keeps bans in two sets of the kernel's firewall. Needs CAP_NET_ADMIN. Default: `false`. */
  readonly nftables?: boolean | NftablesConfig | undefined
  /** Keeps bans in an IP list at Cloudflare, which a rule of yours blocks. Default: off. */
  readonly cloudflare?: CloudflareConfig | undefined
}

/** Remediations with their defaults. */
export interface CompiledRemediations {
  readonly never: readonly string[]
  readonly nftables?: CompiledNftables
  readonly cloudflare?: CompiledCloudflare
}

const cloudflareId = z
  .string()
  .check(z.regex(/^[0-9a-f]{32}$/, 'must be a Cloudflare id: 32 hexadecimal digits'))
const TABLE = 'postern'

const nftables: z.ZodMiniType<CompiledNftables | undefined, boolean | NftablesConfig> = parsed(
  z.union([
    flag,
    section<CompiledNftables, NftablesConfig>('NftablesConfig', () => ({
      table: key(
        z.string().check(z.regex(/^[a-z_][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and "_"')),
        {
          description: 'Name of the nftables table, in the family `inet`.',
          default: TABLE,
          example: 'edge',
        },
      ),
    })),
  ]),
  undefined,
  said => (said === false ? undefined : said === true ? { table: TABLE } : said),
)

const cloudflare: z.ZodMiniType<CompiledCloudflare, CloudflareConfig> = section<
  CompiledCloudflare,
  CloudflareConfig
>('CloudflareConfig', () => ({
  account: required(cloudflareId, {
    description: 'Id of the account, 32 hexadecimal digits.',
    example: '0123456789abcdef0123456789abcdef',
  }),
  list: required(cloudflareId, {
    description: 'Id of an IP list, which a rule of yours blocks.',
    example: '0123456789abcdef0123456789abcdef',
  }),
  token: required(text, {
    description: 'An API token that may edit account filter lists. A secret: write `${NAME}`.',
    example: '${CLOUDFLARE_TOKEN}',
  }),
  every: key(duration, { description: 'Time between two exports.', default: '1m', example: '5m' }),
  capacity: key(count, {
    description: 'Most items in the list; when there are more bans, those that last longest are kept.',
    default: 10_000,
    example: 5_000,
  }),
  api: key(webUrl, {
    description: "Address of Cloudflare's API.",
    default: 'https://api.cloudflare.com/client/v4',
    example: 'https://api.cloudflare.com/client/v4',
  }),
}))

/** `remediations`. */
export const remediations: z.ZodMiniType<
  CompiledRemediations | false,
  RemediationsConfig | false | undefined
> = key(
  orOff(
    section<CompiledRemediations, RemediationsConfig>('RemediationsConfig', () => ({
      never: key(listOf(addressRange), {
        description: 'Addresses and ranges that are never banned. Loopback and trusted proxies never are.',
        default: [],
        example: ['198.51.100.0/24'],
        applies: 'reload',
      }),
      nftables: key(nftables, {
        description: "Keeps bans in two sets of the kernel's firewall. Needs CAP_NET_ADMIN.",
        defaultText: '`false`',
        example: true,
        applies: 'restart',
      }),
      cloudflare: key(cloudflare, {
        description: 'Keeps bans in an IP list at Cloudflare, which a rule of yours blocks.',
        defaultText: 'off',
        example: {
          account: '0123456789abcdef0123456789abcdef',
          list: 'fedcba9876543210fedcba9876543210',
          token: '${CLOUDFLARE_TOKEN}',
        },
        applies: 'restart',
      }),
    })),
  ),
  {
    description: 'Bans, throttles and challenges against actors, or `false`.',
    default: {},
    defaultText: 'on',
    example: { never: ['198.51.100.0/24'] },
  },
)
