import type { Bounds } from '../bounds/bounds.ts'
import type { StartUp } from '../bounds/effort-meter.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import type { Level } from '../rule/family.ts'
import type { ParameterTypes } from '../value/parameter-types.ts'
import type { ExceptionTest } from './exception.ts'

/** What an inspection is made with. */
export interface InspectorOptions {
  readonly rules: RuleSet
  readonly level: Level
  readonly bounds: Bounds
  readonly except: readonly ExceptionTest[]
  /** What is known about the route's parameters; undefined: nothing. */
  readonly types: ParameterTypes | undefined
  /** See `InspectedRequest`. */
  readonly ownPort: number | undefined
  /** Milliseconds of CPU that this thread has used; undefined: `Bounds.cpu` is not kept. */
  readonly cpu: (() => number) | undefined
  readonly startUp?: StartUp | undefined
  /** Who puts a file somewhere does not look for one. */
  readonly method: string
  /** `POST /posts`, for the text of exceptions. */
  readonly route: () => string
  /** The same of the page that sent the request, by its address in `Referer`. */
  readonly pageRoute?: (() => string) | undefined
  /** Whether the address is that of a page about one database; undefined: it is not known. */
  readonly asksDatabase?: (() => boolean) | undefined
}
