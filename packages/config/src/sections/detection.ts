import type { Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, orOff, required, section } from '../key/key.ts'
import { duration, type Listen, listen, listOf, oneOf, serverUrl, text } from '../key/types.ts'

/** What watches events over time. */
export interface ScenariosConfig {
  /**
   * Folders of Sigma YAML beside the shipped scenarios, relative to the configuration. Changes take effect
   * while the process runs. Default: none.
   */
  readonly folders?: readonly string[] | undefined
  /**
   * Names to leave out: of shipped scenarios, or of the detectors `id-walk`, `volume` and `session-drift`.
   * Default: none.
   */
  readonly without?: readonly string[] | undefined
  /** Whether the shipped scenarios are used. Default: `all`. */
  readonly shipped?: 'all' | 'none' | undefined
}

/** Scenarios with their defaults. */
export interface CompiledScenarios {
  readonly folders: readonly string[]
  readonly without: readonly string[]
  readonly shipped: 'all' | 'none'
}

/** `scenarios`. */
export const scenarios: z.ZodMiniType<CompiledScenarios | false, ScenariosConfig | false | undefined> = key(
  orOff(
    section<CompiledScenarios, ScenariosConfig>('ScenariosConfig', () => ({
      folders: key(listOf(text), {
        description:
          'Folders of Sigma YAML beside the shipped scenarios, relative to the configuration. Changes take effect while the process runs.',
        default: [],
        example: ['scenarios'],
      }),
      without: key(listOf(text), {
        description:
          'Names to leave out: of shipped scenarios, or of the detectors `id-walk`, `volume` and `session-drift`.',
        default: [],
        example: ['http-crawl'],
      }),
      shipped: key(oneOf('all', 'none'), {
        description: 'Whether the shipped scenarios are used.',
        default: 'all',
        example: 'none',
      }),
    })),
  ),
  {
    description:
      'Scenarios and detectors, which look for patterns over many events; `false` switches them off.',
    default: {},
    defaultText: 'all that are shipped',
    example: { without: ['http-crawl'] },
  },
)

/** Traps that only somebody who searches can touch. `honey: true` on a route makes it one. */
export interface HoneyConfig {
  /** Names of query or body fields that no person fills, because the form hides them. Default: none. */
  readonly fields?: readonly string[] | undefined
  /** Ids of records that nobody should ever open, at least 6 characters. Default: none. */
  readonly records?: readonly string[] | undefined
  /** How long an actor that touches a trap is banned. Default: `1d`. */
  readonly for?: Duration | undefined
}

/** Traps with their defaults; milliseconds. */
export interface CompiledHoney {
  readonly fields: readonly string[]
  readonly records: readonly string[]
  readonly for: number
}

/** `honey`. */
export const honey: z.ZodMiniType<CompiledHoney, HoneyConfig | undefined> = key(
  section<CompiledHoney, HoneyConfig>('HoneyConfig', () => ({
    fields: key(listOf(text), {
      description: 'Names of query or body fields that no person fills, because the form hides them.',
      default: [],
      example: ['website'],
    }),
    records: key(listOf(z.string().check(z.minLength(6))), {
      description: 'Ids of records that nobody should ever open, at least 6 characters.',
      default: [],
      example: ['canary-4711'],
    }),
    for: key(duration, {
      description: 'How long an actor that touches a trap is banned.',
      default: '1d',
      example: '7d',
    }),
  })),
  {
    description: 'Traps: form fields nobody sees and records nobody should open.',
    default: {},
    defaultText: 'none',
    example: { fields: ['website'] },
  },
)

/** Another CrowdSec whose decisions are enforced here too. */
export interface CrowdsecFeedConfig {
  /** Address of CrowdSec's local API. */
  readonly url: string
  /** Bouncer key of that API. A secret: write `${NAME}`. */
  readonly key: string
}

/** Work with CrowdSec: its bouncers obey Postern, or Postern obeys it. */
export interface CrowdsecConfig {
  /**
   * Where CrowdSec's local API is served to bouncers. Keys: `postern bouncers add NAME`. Default: nowhere.
   */
  readonly listen?: string | number | undefined
  /** A CrowdSec local API whose decisions are enforced here too. Default: none. */
  readonly feed?: CrowdsecFeedConfig | undefined
}

/** CrowdSec, compiled. */
export interface CompiledCrowdsec {
  readonly listen?: Listen
  readonly feed?: CrowdsecFeedConfig
}

/** `crowdsec`. */
export const crowdsec: z.ZodMiniType<CompiledCrowdsec, CrowdsecConfig | undefined> = key(
  section<CompiledCrowdsec, CrowdsecConfig>('CrowdsecConfig', () => ({
    listen: key(listen, {
      description: "Where CrowdSec's local API is served to bouncers. Keys: `postern bouncers add NAME`.",
      defaultText: 'nowhere',
      example: '127.0.0.1:8081',
    }),
    feed: key(
      section<CrowdsecFeedConfig, CrowdsecFeedConfig>('CrowdsecFeedConfig', () => ({
        url: required(serverUrl, {
          description: "Address of CrowdSec's local API.",
          example: 'http://127.0.0.1:8080',
        }),
        key: required(text, {
          description: 'Bouncer key of that API. A secret: write `${NAME}`.',
          example: '${CROWDSEC_KEY}',
        }),
      })),
      {
        description: 'A CrowdSec local API whose decisions are enforced here too.',
        defaultText: 'none',
        example: { url: 'http://127.0.0.1:8080', key: '${CROWDSEC_KEY}' },
      },
    ),
  })),
  {
    description: 'Exchange of decisions with CrowdSec, in either direction.',
    default: {},
    defaultText: 'off',
    example: { listen: '127.0.0.1:8081' },
    applies: 'restart',
  },
)
