import type { AdaptiveOptions, LoadSheddingOptions } from '@postern/throttle'
import * as z from 'zod/mini'
import { key, parsed, required, section } from '../key/key.ts'
import { count, listOf, routePattern } from '../key/types.ts'
import { compileShed, type ShedSettings } from '../limit/compile-shed.ts'

/** Bounds of a limit that is found from latency. */
export interface AdaptiveConfig {
  /** The limit at the start, in concurrent requests. Default: `64`. */
  readonly initial?: number | undefined
  /** The lowest limit, in concurrent requests. Default: `8`. */
  readonly min?: number | undefined
  /** The highest limit, in concurrent requests. Default: `4096`. */
  readonly max?: number | undefined
  /**
   * The limit falls when latency exceeds this multiple of the usual latency. Above 1, at most 100. Default:
   * `2`.
   */
  readonly tolerance?: number | undefined
}

/** Shares of the limit, above 0 and at most 1. */
export interface SharesConfig {
  /** Share of the limit that `critical` routes may fill, above 0 and at most 1. Default: `1`. */
  readonly critical?: number | undefined
  /** Share that all other routes may fill. Default: `0.9`. */
  readonly default?: number | undefined
  /** Share that `sheddable` routes may fill. Default: `0.6`. */
  readonly sheddable?: number | undefined
}

/** What is refused with 503 when the process has more to do than it can: the least important first. */
export interface ShedConfig {
  /** Concurrent requests in one process or worker: a number, or `adaptive`, derived from latency. */
  readonly limit: number | 'adaptive' | AdaptiveConfig
  /** Patterns of routes that are refused last: health checks, payments. Default: none. */
  readonly critical?: readonly string[] | undefined
  /** Patterns of routes that are refused first: exports, previews. Default: none. */
  readonly sheddable?: readonly string[] | undefined
  /** The share of the limit that each class may fill. */
  readonly shares?: SharesConfig | undefined
}

const adaptive: z.ZodMiniType<AdaptiveOptions, AdaptiveConfig> = section<AdaptiveOptions, AdaptiveConfig>(
  'AdaptiveConfig',
  () => ({
    initial: key(count, {
      description: 'The limit at the start, in concurrent requests.',
      defaultText: '`64`',
      example: 64,
    }),
    min: key(count, {
      description: 'The lowest limit, in concurrent requests.',
      defaultText: '`8`',
      example: 8,
    }),
    max: key(count, {
      description: 'The highest limit, in concurrent requests.',
      defaultText: '`4096`',
      example: 4_096,
    }),
    tolerance: key(z.number().check(z.gt(1), z.maximum(100)), {
      description:
        'The limit falls when latency exceeds this multiple of the usual latency. Above 1, at most 100.',
      defaultText: '`2`',
      example: 2,
    }),
  }),
)

const share = (description: string, standard: number): z.ZodMiniType<number, number | undefined> =>
  key(z.number().check(z.gt(0), z.maximum(1)), { description, default: standard, example: standard })

/** `shed`. */
export const shed: z.ZodMiniType<LoadSheddingOptions | undefined, ShedConfig | undefined> = key(
  parsed(
    section<ShedSettings, ShedConfig>('ShedConfig', () => ({
      limit: required(z.union([z.literal('adaptive'), count, adaptive]), {
        description:
          'Concurrent requests in one process or worker: a number, or `adaptive`, derived from latency.',
        example: 'adaptive',
      }),
      critical: key(listOf(routePattern), {
        description: 'Patterns of routes that are refused last: health checks, payments.',
        default: [],
        example: ['/health'],
      }),
      sheddable: key(listOf(routePattern), {
        description: 'Patterns of routes that are refused first: exports, previews.',
        default: [],
        example: ['/export/**'],
      }),
      shares: key(
        section<ShedSettings['shares'], SharesConfig>('SharesConfig', () => ({
          critical: share('Share of the limit that `critical` routes may fill, above 0 and at most 1.', 1),
          default: share('Share that all other routes may fill.', 0.9),
          sheddable: share('Share that `sheddable` routes may fill.', 0.6),
        })),
        {
          description: 'The share of the limit that each class may fill.',
          default: {},
          defaultText: '',
          example: { sheddable: 0.5 },
        },
      ),
    })),
    undefined,
    compileShed,
  ),
  {
    description: 'What is refused with 503 when the process has more to do than it can.',
    defaultText: 'off',
    example: { limit: 'adaptive', critical: ['/health'] },
  },
)
