import type { Steps } from './body/steps.ts'
import type { Locator } from './body/value-visitor.ts'
import type { DecodingWalk } from './canonicalise/decoding-walk.ts'
import type { Features } from './features.ts'
import type { ParameterType } from './parameter-type.ts'
import type { Place, Reading } from './reading.ts'
import type { ValueSetting } from './value-setting.ts'

/** A value that is being looked at: where the walk over its readings stands. */
export interface Look {
  readonly kind: 'look'
  readonly text: string
  readonly place: Place
  readonly locator: Locator
  readonly type: ParameterType | undefined
  readonly nesting: number
  /** The families whose rules count; undefined: all. */
  families: readonly string[] | undefined
  /** What a scan of the text saw, if there was one. */
  readonly scanned: Features | undefined
  setting: ValueSetting
  /** Undefined until what is to be read was prepared. */
  walk: DecodingWalk | undefined
  reading: Reading | undefined
  /** The rule to go on with. */
  rule: number
  /** A long text in which something quotable was found: what else is quotable there changes nothing. */
  isDoubted: boolean
}

/** A document whose values are being visited. */
export interface Visit {
  readonly kind: 'visit'
  readonly steps: Steps<unknown>
  readonly location: string
  readonly nesting: number
}
