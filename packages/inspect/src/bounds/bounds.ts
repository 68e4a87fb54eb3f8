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
  /**
   * Milliseconds of CPU for one request, where it is inspected in slices. Default 50. A body of more than
   * 400 KiB has as much for each 400 KiB.
   */
  readonly cpu: number
}

/**
 * Bytes of a body that `Bounds.cpu` is for: 122 ns a byte, and so at least 30 units a byte, as a unit counts
 * for 4 ns at most, however busy the machine is. The sources of this repository take about 12.
 */
const BYTES_OF_CPU = 409_600

/** The bounds for a request with this body. */
export function boundsFor(bounds: Bounds, body: Uint8Array | undefined): Bounds {
  const share = (body?.length ?? 0) / BYTES_OF_CPU
  return share > 1 ? { ...bounds, cpu: bounds.cpu * share } : bounds
}

/** The bounds in use when none are given. */
export const DEFAULT_BOUNDS: Bounds = Object.freeze({
  values: 20_000,
  depth: 200,
  expanded: parseByteSize('4MiB'),
  effort: 120_000_000,
  cpu: 50,
})
