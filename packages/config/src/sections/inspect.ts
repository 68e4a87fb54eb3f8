import type { Mode } from '@postern/core'
import { ConfigError } from '@postern/core'
import {
  checkInspectSettings,
  type InspectSettings,
  PARAMETER_TYPES,
  type ParameterType,
} from '@postern/inspect'
import * as z from 'zod/mini'
import { checked, key, orOff, section } from '../key/key.ts'
import { flag, inspectRule, listOf, mode, oneOf, routePattern, text } from '../key/types.ts'

/**
 * Leaves one rule out at one place. All parts that are given must match: the more parts, the narrower.
 * @example
 * ```ts
 * import type { ExceptConfig } from 'postern'
 *
 * export const except: ExceptConfig = { rule: 'xss/*', parameter: 'body.text' }
 * ```
 */
export interface ExceptConfig {
  /** Id of the rule, or a family with `*`, such as `xss/*`. */
  readonly rule?: string | undefined
  /** Where the value stands, `*` for one part, `**` for the rest. */
  readonly parameter?: string | undefined
}

/** An exception that may name its route. */
export interface RoutedExceptConfig {
  /** Id of the rule, or a family with `*`, such as `xss/*`. */
  readonly rule?: string | undefined
  /** Where the value stands, `*` for one part, `**` for the rest. */
  readonly parameter?: string | undefined
  /** Pattern of the routes that the exception holds on. */
  readonly route?: string | undefined
}

/**
 * How content is read for attacks on a route.
 * @example
 * ```ts
 * import type { InspectConfig } from 'postern'
 *
 * export const strict: InspectConfig = { level: 2, unread: 'refuse' }
 * ```
 */
export interface InspectConfig {
  /** Strictness, from 1 (fewest false alarms) to 4 (most findings). Default: `inspect.level`. */
  readonly level?: 1 | 2 | 3 | 4 | undefined
  /** Exceptions for this route. */
  readonly except?: readonly ExceptConfig[] | undefined
  /**
   * What happens to the rest of a body that is longer than `bodyLimit`: it is inspected while it streams
   * (`stream`), or the request is refused, or the rest passes. Default: `stream`.
   */
  readonly unread?: 'stream' | 'refuse' | 'pass' | undefined
  /**
   * What parameters hold on this route, by place; counts before `inspect.parameters`. Default: nothing is
   * known.
   */
  readonly parameters?: Readonly<Record<string, ParameterType>> | undefined
  /** What happens to a request that costs more to inspect than one may. Default: `refuse`. */
  readonly overBudget?: 'refuse' | 'pass' | undefined
}

/** Additional rule sets, read from files of the application. */
export interface ForeignRulesConfig {
  /** dd-trace's `recommended.json`: a path, or `true` for the one in the application's node_modules. */
  readonly ddtrace?: boolean | string | undefined
  /** Files of ModSecurity rules (SecLang), such as a checkout of the Core Rule Set. Default: none. */
  readonly seclang?: readonly string[] | undefined
  /** What happens to SecLang that is not supported: `refuse` rejects the whole file. Default: `refuse`. */
  readonly unsupported?: 'refuse' | 'skip' | undefined
}

/**
 * Calls of an application in whose process Postern is a middleware, compared with the request at hand:
 * `refuse` throws in place of a call that carries an attack, `report` lets it run and reports it.
 * @example
 * ```ts
 * import type { SinksConfig } from 'postern'
 *
 * export const sinks: SinksConfig = { sql: 'report', url: 'refuse' }
 * ```
 */
export interface SinksConfig {
  /** Statements of `pg`, `mysql2` and `node:sqlite`. Default: `refuse`. */
  readonly sql?: 'refuse' | 'report' | 'off' | undefined
  /** Shell commands of `node:child_process`. Default: `refuse`. */
  readonly command?: 'refuse' | 'report' | 'off' | undefined
  /** Paths of `node:fs` and `node:fs/promises`. Default: `refuse`. */
  readonly path?: 'refuse' | 'report' | 'off' | undefined
  /** Internal addresses (loopback, private, link-local) that `fetch` is called with. Default: `off`. */
  readonly url?: 'refuse' | 'report' | 'off' | undefined
}

/**
 * How content is read for attacks everywhere.
 * @example
 * ```ts
 * import type { InspectionConfig } from 'postern'
 *
 * export const inspect: InspectionConfig = {
 *   mode: 'observe',
 *   except: [{ rule: 'sqli/*', parameter: 'query.q' }],
 * }
 * ```
 */
export interface InspectionConfig {
  /** Strictness, from 1 (fewest false alarms) to 4 (most findings). Default: `1`. */
  readonly level?: 1 | 2 | 3 | 4 | undefined
  /** Exceptions, everywhere or on one route. Default: none. */
  readonly except?: readonly RoutedExceptConfig[] | undefined
  /** `observe` records what inspection would refuse. Default: `mode`. */
  readonly mode?: Mode | undefined
  /** What parameters hold on every route, by place. Default: nothing is known. */
  readonly parameters?: Readonly<Record<string, ParameterType>> | undefined
  /** An OpenAPI 3 document (YAML or JSON) that says what parameters hold. Default: none. */
  readonly openapi?: string | undefined
  /** Additional rule sets, read from files of the application. Default: none. */
  readonly rules?: ForeignRulesConfig | undefined
  /**
   * Asked about requests that the built-in rules let pass. The application installs `@datadog/native-appsec`
   * and `dd-trace`.
   */
  readonly secondOpinion?: 'native-appsec' | undefined
  /**
   * Compares what the application's own process calls with the request, or `false`. Default: all kinds but
   * `url`.
   */
  readonly sinks?: SinksConfig | false | undefined
}

/** An exception, as inspection takes it. */
export interface CompiledExcept {
  readonly rule?: string
  readonly parameter?: string
}

/** Where rules of others are read from. */
export interface ForeignRuleFiles {
  readonly ddtrace?: boolean | string
  readonly seclang: readonly string[]
  readonly unsupported: 'refuse' | 'skip'
}

/** What happens at each kind of call. */
export type CompiledSinks = Readonly<Record<'sql' | 'command' | 'path' | 'url', 'refuse' | 'report' | 'off'>>

/** Inspection with its defaults. */
export interface CompiledInspection {
  readonly level: 1 | 2 | 3 | 4
  readonly except: readonly (CompiledExcept & { readonly route?: string })[]
  readonly mode?: Mode
  readonly parameters?: Readonly<Record<string, ParameterType>>
  readonly openapi?: string
  readonly rules: ForeignRuleFiles
  readonly secondOpinion?: 'native-appsec'
  readonly sinks: CompiledSinks | false
}

const level: z.ZodMiniType<1 | 2 | 3 | 4, 1 | 2 | 3 | 4> = z.literal([1, 2, 3, 4])

const rule = key(inspectRule, {
  description: 'Id of the rule, or a family with `*`, such as `xss/*`.',
  example: 'sqli/*',
})

const LOCATION = /^(?:path|query|header|cookie|body|\*{1,2})(?:[.#]|$)/

/** A place that nothing ever stands at would be an exception without effect. */
const exceptedPlace = checked(text, 'the place of a parameter such as "body.text"', place => {
  if (!LOCATION.test(place))
    throw new ConfigError({
      place: '',
      problem: `"${place.slice(0, 60)}" is not the place of a parameter`,
      hint: `it begins with path, query, header, cookie or body; did you mean "body.${place.slice(0, 60)}" or "query.${place.slice(0, 60)}"?`,
    })
})

const parameter = key(exceptedPlace, {
  description: 'Where the value stands, `*` for one part, `**` for the rest.',
  example: 'body.comment',
})

/** `{ 'query.id': 'number' }`: what parameters hold, by place. */
const parameterTypes = z.record(
  checked(text, 'the place of a parameter such as "query.id"', place =>
    checkInspectSettings({ parameters: { [place]: 'text' } }, ''),
  ),
  z.enum(PARAMETER_TYPES),
)

/** `inspect` of a route. */
export const inspectHere: z.ZodMiniType<InspectSettings, InspectConfig> = section<
  InspectSettings,
  InspectConfig
>('InspectConfig', () => ({
  level: key(level, {
    description: 'Strictness, from 1 (fewest false alarms) to 4 (most findings).',
    defaultText: '`inspect.level`',
    example: 2,
  }),
  except: key(listOf(section<CompiledExcept, ExceptConfig>('ExceptConfig', () => ({ rule, parameter }))), {
    description: 'Exceptions for this route.',
    example: [{ rule: 'sqli/union', parameter: 'body.sql' }],
  }),
  unread: key(oneOf('stream', 'refuse', 'pass'), {
    description:
      'What happens to the rest of a body that is longer than `bodyLimit`: it is inspected while it streams (`stream`), or the request is refused, or the rest passes.',
    defaultText: '`stream`',
    example: 'refuse',
  }),
  parameters: key(parameterTypes, {
    description: 'What parameters hold on this route, by place; counts before `inspect.parameters`.',
    defaultText: 'nothing is known',
    example: { 'body.html': 'markup' },
  }),
  overBudget: key(oneOf('refuse', 'pass'), {
    description: 'What happens to a request that costs more to inspect than one may.',
    defaultText: '`refuse`',
    example: 'pass',
  }),
}))

const foreign: z.ZodMiniType<ForeignRuleFiles, ForeignRulesConfig> = section<
  ForeignRuleFiles,
  ForeignRulesConfig
>('ForeignRulesConfig', () => ({
  ddtrace: key(z.union([flag, text]), {
    description:
      "dd-trace's `recommended.json`: a path, or `true` for the one in the application's node_modules.",
    example: true,
  }),
  seclang: key(listOf(text, 200), {
    description: 'Files of ModSecurity rules (SecLang), such as a checkout of the Core Rule Set.',
    default: [],
    example: ['crs/REQUEST-942.conf'],
  }),
  unsupported: key(oneOf('refuse', 'skip'), {
    description: 'What happens to SecLang that is not supported: `refuse` rejects the whole file.',
    default: 'refuse',
    example: 'skip',
  }),
}))

const atSink = oneOf('refuse', 'report', 'off')

const sinks: z.ZodMiniType<CompiledSinks, SinksConfig> = section<CompiledSinks, SinksConfig>(
  'SinksConfig',
  () => ({
    sql: key(atSink, {
      description: 'Statements of `pg`, `mysql2` and `node:sqlite`.',
      default: 'refuse',
      example: 'report',
    }),
    command: key(atSink, {
      description: 'Shell commands of `node:child_process`.',
      default: 'refuse',
      example: 'report',
    }),
    path: key(atSink, {
      description: 'Paths of `node:fs` and `node:fs/promises`.',
      default: 'refuse',
      example: 'report',
    }),
    url: key(atSink, {
      description: 'Internal addresses (loopback, private, link-local) that `fetch` is called with.',
      default: 'off',
      example: 'refuse',
    }),
  }),
)

/** `inspect`: inspection everywhere. */
export const inspection: z.ZodMiniType<CompiledInspection | false, InspectionConfig | false | undefined> =
  key(
    orOff(
      section<CompiledInspection, InspectionConfig>('InspectionConfig', () => ({
        level: key(level, {
          description: 'Strictness, from 1 (fewest false alarms) to 4 (most findings).',
          default: 1,
          example: 2,
        }),
        except: key(
          listOf(
            section<CompiledExcept & { readonly route?: string }, RoutedExceptConfig>(
              'RoutedExceptConfig',
              () => ({
                rule,
                parameter,
                route: key(routePattern, {
                  description: 'Pattern of the routes that the exception holds on.',
                  example: 'POST /posts',
                }),
              }),
            ),
          ),
          {
            description: 'Exceptions, everywhere or on one route.',
            default: [],
            example: [{ rule: 'xss/*', parameter: 'body.text', route: 'POST /posts' }],
          },
        ),
        mode: key(mode, {
          description: '`observe` records what inspection would refuse.',
          defaultText: '`mode`',
          example: 'observe',
        }),
        parameters: key(parameterTypes, {
          description: 'What parameters hold on every route, by place.',
          defaultText: 'nothing is known',
          example: { 'query.id': 'number' },
        }),
        openapi: key(text, {
          description: 'An OpenAPI 3 document (YAML or JSON) that says what parameters hold.',
          defaultText: 'none',
          example: 'openapi.yaml',
        }),
        rules: key(foreign, {
          description: 'Additional rule sets, read from files of the application.',
          default: {},
          defaultText: 'none',
          example: { ddtrace: true },
        }),
        secondOpinion: key(z.literal('native-appsec'), {
          description:
            'Asked about requests that the built-in rules let pass. The application installs `@datadog/native-appsec` and `dd-trace`.',
          example: 'native-appsec',
        }),
        sinks: key(orOff(sinks), {
          description: "Compares what the application's own process calls with the request, or `false`.",
          default: {},
          defaultText: 'all kinds but `url`',
          example: { sql: 'report' },
        }),
      })),
    ),
    {
      description: 'How content is read for attacks everywhere, or `false`.',
      default: {},
      defaultText: 'level 1',
      example: { level: 2 },
    },
  )
