import type { Detector, Duration, Event, Guard, Identify } from '@postern/core'
import * as z from 'zod'
import { inCode, key, parsed, required, section } from '../key.ts'
import { duration, listOf, oneOf } from '../types.ts'

/** How a principal is found, and what happens when that fails. */
export interface IdentifySettings {
  /** A function that returns the principal, or `application`. */
  readonly by: Identify | 'application'
  /** How long a request waits for `by`. Default: `1s`. */
  readonly deadline?: Duration | undefined
  /** When `by` fails or is late: continue as `anonymous`, or `refuse` with 503. Default: `anonymous`. */
  readonly onFailure?: 'anonymous' | 'refuse' | undefined
}

/** Who fills the principal of a request: a function, or the application itself by `setPrincipal`. */
export type IdentifyConfig = Identify | 'application' | IdentifySettings

/** How a principal is found, with defaults. */
export interface CompiledIdentify {
  readonly by: Identify | 'application'
  /** Milliseconds. */
  readonly deadline: number
  readonly onFailure: 'anonymous' | 'refuse'
}

/** What an application adds in code. */
export interface ExtensionConfig {
  readonly identify?: IdentifyConfig | undefined
  readonly guards?: readonly Guard[] | undefined
  readonly detectors?: readonly Detector[] | undefined
  readonly onEvent?: ((event: Event) => void) | undefined
}

const by: z.ZodType<Identify | 'application', Identify | 'application'> = z.union([
  z.literal('application'),
  inCode<Identify>('a function', value => typeof value === 'function'),
])

const settings: z.ZodType<CompiledIdentify, IdentifySettings> = section<CompiledIdentify, IdentifySettings>(
  'IdentifySettings',
  {
    by: required(by, {
      description: 'A function that returns the principal, or `application`.',
      example: 'application',
    }),
    deadline: key(duration, {
      description: 'How long a request waits for `by`.',
      default: '1s',
      example: '500ms',
    }),
    onFailure: key(oneOf('anonymous', 'refuse'), {
      description: 'When `by` fails or is late: continue as `anonymous`, or `refuse` with 503.',
      default: 'anonymous',
      example: 'refuse',
    }),
  },
)

/** `identify`. */
export const identify: z.ZodType<CompiledIdentify | undefined, IdentifyConfig | undefined> = key(
  parsed(z.union([by, settings]), undefined, said =>
    typeof said === 'object' ? said : ({ by: said, deadline: 1_000, onFailure: 'anonymous' } as const),
  ),
  {
    description:
      'Says who sends a request. Bans and limits on addresses are decided before it, those on principals, tenants and API keys after it. `application`: your own code does, later, by `setPrincipal`.',
    defaultText: 'nobody',
    example: 'application',
  },
)

function has(value: unknown, method: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  const part = value as Readonly<Record<string, unknown>>
  return typeof part['name'] === 'string' && typeof part[method] === 'function'
}

/** `guards`. */
export const guards: z.ZodType<readonly Guard[], readonly Guard[] | undefined> = key(
  listOf(
    inCode<Guard>(
      'a guard: { name, failure: "open" or "closed", decide(exchange) }',
      value => has(value, 'decide') && ['open', 'closed'].includes(String((value as Guard).failure)),
    ),
    64,
  ),
  {
    description:
      'Guards of your own, asked after limits and before content is inspected, in this order. Not asked in a replay.',
    default: [],
    defaultText: 'none',
  },
)

/** `detectors`. */
export const detectors: z.ZodType<readonly Detector[], readonly Detector[] | undefined> = key(
  listOf(
    inCode<Detector>('a detector: { name, observe(event) }', value => has(value, 'observe')),
    64,
  ),
  {
    description:
      'Detectors of your own. With several workers they run on the main thread and see the events of all. Not asked in a replay.',
    default: [],
    defaultText: 'none',
  },
)

/** `onEvent`. */
export const onEvent: z.ZodType<((event: Event) => void) | undefined, ((event: Event) => void) | undefined> =
  key(
    inCode<(event: Event) => void>('a function', value => typeof value === 'function'),
    {
      description: 'Receives every event, recorded or not, on the main thread. Must not throw or block.',
      defaultText: 'nothing',
    },
  )
