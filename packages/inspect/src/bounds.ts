import { parseByteSize } from '@postern/core'

/** How much inspection reads. What goes beyond is answered with an explicit `too-big`, never passed over. */
export interface Bounds {
  /** Values (names count too) in one request. Default 20,000. */
  readonly values: number
  /** Levels of a JSON or XML document. Default 200. */
  readonly depth: number
  /** Bytes of a body once decompressed. Default 4 MiB. */
  readonly expanded: number
  /** Work for one request, in units of one rule over one character. Default 60,000,000, about 50 ms. */
  readonly effort: number
}

/** The bounds in use when none are given. */
export const DEFAULT_BOUNDS: Bounds = Object.freeze({
  values: 20_000,
  depth: 200,
  expanded: parseByteSize('4MiB'),
  effort: 60_000_000,
})
