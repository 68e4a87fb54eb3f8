import { parseByteSize } from '@postern/core'

/** How much inspection reads. What goes beyond is answered with an explicit `too-big`, never passed over. */
export interface Bounds {
  /** Values (names count too) in one request. Default 20,000. */
  readonly values: number
  /** Levels of a JSON or XML document. Default 200. */
  readonly depth: number
  /** Bytes of a body once decompressed. Default 4 MiB. */
  readonly expanded: number
  /**
   * Work for one request, in units of one rule over one character. Default 120,000,000, of which ordinary
   * text of 1 MB needs less than a half.
   */
  readonly effort: number
  /** Milliseconds of CPU for one request, where it is inspected in slices. Default 50. */
  readonly cpu: number
}

/** The bounds in use when none are given. */
export const DEFAULT_BOUNDS: Bounds = Object.freeze({
  values: 20_000,
  depth: 200,
  expanded: parseByteSize('4MiB'),
  effort: 120_000_000,
  cpu: 50,
})
