import type { ByteSize, Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, orOff, section } from '../key/key.ts'
import { byteSize, count, duration, headerName, type Listen, listen, listOf, text } from '../key/types.ts'

/** The web console and the traffic that it keeps. */
export interface ConsoleConfig {
  /**
   * A port on this machine only, or `host:port`. Another free port is taken when the default one is in use.
   * Default: `127.0.0.1:9465`.
   */
  readonly listen?: string | number | undefined
  /** Path that the console is under, where a proxy leads to it. Default: `/`. */
  readonly path?: string | undefined
  /**
   * Origins that the console is reached by besides its own address: of the proxy in front of it. Default:
   * none.
   */
  readonly origins?: readonly string[] | undefined
  /** How long the console keeps requests. Default: `7d`. */
  readonly keep?: Duration | undefined
  /**
   * Size at which the oldest requests are removed: plain allowed ones first, then refused ones. Default:
   * `256mb`.
   */
  readonly maxSize?: ByteSize | undefined
  /** Most allowed requests that are kept of each second. Every refused one is kept. Default: `20`. */
  readonly samplesPerSecond?: number | undefined
  /**
   * Header in which a trusted proxy says the country of a client (ISO 3166-1 alpha-2): attempts are then
   * counted by country. Default: countries are not known.
   */
  readonly country?: string | undefined
  /** The vault whose health is shown, where there is such a file. Default: `vault.json`. */
  readonly vault?: string | undefined
  /**
   * Files of holders whose operator socket this process may open: their budgets and canaries are shown.
   * Default: none.
   */
  readonly holders?: readonly string[] | undefined
}

/** The console with its defaults: milliseconds, bytes. */
export interface CompiledConsole {
  readonly listen: Listen
  /** Begins and ends with `/`. */
  readonly path: string
  readonly origins: readonly string[]
  readonly keep: number
  readonly maxSize: number
  readonly samplesPerSecond: number
  readonly country?: string
  readonly vault: string
  readonly holders: readonly string[]
}

const subPath: z.ZodMiniType<string, string> = z.pipe(
  z.string().check(z.regex(/^\/(?:[\w.~-]+\/)*(?:[\w.~-]+)?$/, 'a path looks like "/console/"')),
  z.transform((path: string) => (path.endsWith('/') ? path : `${path}/`)),
)

const origin: z.ZodMiniType<string, string> = z
  .string()
  .check(
    z.regex(/^https?:\/\/[a-z0-9.[\]:-]+$/, 'an origin looks like "https://ops.example.com", without a path'),
  )

/** `console`. */
export const consoleSection: z.ZodMiniType<CompiledConsole | false, ConsoleConfig | false | undefined> = key(
  orOff(
    section<CompiledConsole, ConsoleConfig>('ConsoleConfig', () => ({
      listen: key(listen, {
        description:
          'A port on this machine only, or `host:port`. Another free port is taken when the default one is in use.',
        default: '127.0.0.1:9465',
        example: 9_001,
      }),
      path: key(subPath, {
        description: 'Path that the console is under, where a proxy leads to it.',
        default: '/',
        example: '/console/',
      }),
      origins: key(listOf(origin, 20), {
        description:
          'Origins that the console is reached by besides its own address: of the proxy in front of it.',
        default: [],
        defaultText: 'none',
        example: ['https://ops.example.com'],
      }),
      keep: key(duration, {
        description: 'How long the console keeps requests.',
        default: '7d',
        example: '30d',
      }),
      maxSize: key(byteSize, {
        description:
          'Size at which the oldest requests are removed: plain allowed ones first, then refused ones.',
        default: '256mb',
        example: '1gb',
      }),
      samplesPerSecond: key(count, {
        description: 'Most allowed requests that are kept of each second. Every refused one is kept.',
        default: 20,
        example: 100,
      }),
      country: key(headerName, {
        description:
          'Header in which a trusted proxy says the country of a client (ISO 3166-1 alpha-2): attempts are then counted by country.',
        defaultText: 'countries are not known',
        example: 'CF-IPCountry',
      }),
      vault: key(text, {
        description: 'The vault whose health is shown, where there is such a file.',
        default: 'vault.json',
        example: '/etc/postern/vault.json',
      }),
      holders: key(listOf(text, 3), {
        description:
          'Files of holders whose operator socket this process may open: their budgets and canaries are shown.',
        default: [],
        defaultText: 'none',
        example: ['/etc/postern/holder.json'],
      }),
    })),
  ),
  {
    description:
      'The web console and the traffic that it shows, or `false`; see [Console](console.md). `{}` switches it on.',
    default: false,
    defaultText: 'off',
    example: { listen: '127.0.0.1:9465' },
    applies: 'restart',
  },
)
