import type { Detector, Event, Guard } from '@postern/core'
import type * as z from 'zod/mini'
import { inCode, key } from '../key/key.ts'
import { listOf } from '../key/types.ts'
import type { IdentifyConfig } from './identify.ts'

/**
 * What an application adds in code.
 * @example
 * ```ts
 * import { ALLOW, type ExtensionConfig } from 'postern'
 *
 * export const own: ExtensionConfig = {
 *   identify: 'application',
 *   guards: [{ name: 'quota', failure: 'open', decide: () => ALLOW }],
 *   onEvent: event => console.log(event.type),
 * }
 * ```
 */
export interface ExtensionConfig {
  readonly identify?: IdentifyConfig | undefined
  readonly guards?: readonly Guard[] | undefined
  readonly detectors?: readonly Detector[] | undefined
  readonly onEvent?: ((event: Event) => void) | undefined
}

function has(value: unknown, method: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  const part = value as Readonly<Record<string, unknown>>
  return typeof part['name'] === 'string' && typeof part[method] === 'function'
}

/** `guards`. */
export const guards: z.ZodMiniType<readonly Guard[], readonly Guard[] | undefined> = key(
  listOf(
    inCode<Guard>(
      'a guard: { name, failure: "open" or "closed", decide(exchange) }',
      value => has(value, 'decide') && ['open', 'closed'].includes(String((value as Guard).failure)),
    ),
    64,
  ),
  {
    description:
      'Your own guards, run after limits and before inspection, in this order. Not run in a replay.',
    default: [],
    defaultText: 'none',
  },
)

/** `detectors`. */
export const detectors: z.ZodMiniType<readonly Detector[], readonly Detector[] | undefined> = key(
  listOf(
    inCode<Detector>('a detector: { name, observe(event) }', value => has(value, 'observe')),
    64,
  ),
  {
    description:
      'Your own detectors. With several workers they run on the main thread and see the events of all. Not run in a replay.',
    default: [],
    defaultText: 'none',
  },
)

/** `onEvent`. */
export const onEvent: z.ZodMiniType<
  ((event: Event) => void) | undefined,
  ((event: Event) => void) | undefined
> = key(
  inCode<(event: Event) => void>('a function', value => typeof value === 'function'),
  {
    description: 'Receives every event, recorded or not, on the main thread. Must not throw or block.',
    defaultText: 'nothing',
  },
)
