import type { BodyWatch, Refusal } from '@postern/core'
import type { RestReader } from './body/rest-reader.ts'
import { Inspector } from './inspector.ts'
import type { InspectorOptions } from './inspector-options.ts'
import type { Inspection } from './match.ts'

/** Longer pieces are read in parts, so that what one part may cost is bounded. */
const PART = 65_536
/**
 * Work for each byte that goes by, in units, and for a piece besides, which is read with what was kept before
 * it: several times what ordinary text needs, however small its pieces are.
 */
const UNITS_PER_BYTE = 400
const UNITS_PER_PIECE = 6_000_000

export interface RestWatchOptions {
  readonly reader: RestReader
  readonly inspection: InspectorOptions
  /** What is to happen when a piece holds matches; undefined: it may pass. */
  readonly judge: (inspection: Inspection) => Refusal | undefined
}

/**
 * Inspects the rest of a body as it goes by: each piece for itself, with what was left open by the one
 * before. What one piece may cost is bounded by its length.
 */
export class RestWatch implements BodyWatch {
  readonly #options: RestWatchOptions

  constructor(options: RestWatchOptions) {
    this.#options = options
  }

  take(piece: Uint8Array): Refusal | undefined {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    for (let start = 0; start < bytes.length; start += PART) {
      const refusal = this.#inspect(bytes.subarray(start, start + PART))
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #inspect(part: Buffer): Refusal | undefined {
    const { inspection, reader, judge } = this.#options
    const effort = UNITS_PER_PIECE + part.length * UNITS_PER_BYTE
    const inspector = new Inspector({
      ...inspection,
      cpu: undefined,
      bounds: { ...inspection.bounds, effort },
    })
    reader.take(part, inspector)
    const found = inspector.finish()
    return found.matches.length === 0 ? undefined : judge(found)
  }
}
