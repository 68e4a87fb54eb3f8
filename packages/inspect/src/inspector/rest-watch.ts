import type { BodyWatch, Refusal } from '@postern/core'
import type { RestReader } from '../body/rest-reader.ts'
import type { StartUp } from '../bounds/effort-meter.ts'
import { countedCpu } from '../bounds/effort-units.ts'
import type { Inspection } from '../rule/match.ts'
import type { InspectorOptions } from '../settings/inspector-options.ts'
import { Inspector } from './inspector.ts'

/** Longer pieces are read in parts, so that what one part may cost is bounded. */
const PART = 65_536
/**
 * Work for each byte that goes by, in units, and for a piece besides, which is read with what was kept before
 * it: several times what ordinary text needs, however small its pieces are.
 */
const UNITS_PER_BYTE = 400
const UNITS_PER_PIECE = 6_000_000
/**
 * Nanoseconds of CPU for each byte that goes by, beside what a request may take anyway (`Bounds.cpu`): four
 * times what ordinary text takes, and what its units explain at most (`countedCpu`): text of up to 50 units a
 * byte passes however busy the machine is.
 */
const CPU_PER_BYTE = 200

/** When a part of the work is put off so that others are served, and by which clocks. */
export interface RestSlices {
  /** Milliseconds of one slice. */
  readonly milliseconds: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds of CPU that this thread has used. */
  readonly cpu: () => number
  /** Resolves when the next slice may begin. */
  readonly turn: () => Promise<void>
  /** Taken from before what goes by is over its budget. */
  readonly startUp?: StartUp | undefined
}

export interface RestWatchOptions {
  readonly reader: RestReader
  readonly inspection: InspectorOptions
  readonly slices: RestSlices
  /** What is to happen when a piece holds matches; undefined: it may pass. */
  readonly judge: (inspection: Inspection) => Refusal | undefined
}

/**
 * Inspects the rest of a body as it goes by: each piece for itself, with what was left open by the one
 * before, in slices between which others are served. What one piece may cost is bounded by its length, and
 * what all together may take by what has gone by.
 */
export class RestWatch implements BodyWatch {
  readonly #options: RestWatchOptions
  /** Milliseconds of CPU that are left. */
  #left: number

  constructor(options: RestWatchOptions) {
    this.#options = options
    this.#left = options.inspection.bounds.cpu
  }

  take(piece: Uint8Array): Refusal | undefined | Promise<Refusal | undefined> {
    return this.#takeFrom(Buffer.from(piece.buffer, piece.byteOffset, piece.length), 0)
  }

  /** Answers at once for as long as no part fills a slice. */
  #takeFrom(bytes: Buffer, from: number): Refusal | undefined | Promise<Refusal | undefined> {
    const { slices } = this.#options
    for (let start = from; start < bytes.length; start += PART) {
      const part = bytes.subarray(start, start + PART)
      this.#left += (part.length * CPU_PER_BYTE) / 1_000_000
      const cpuBegun = slices.cpu()
      const inspector = this.#begin(part)
      const isDone = inspector.advance(0, slices.now)
      this.#charge(countedCpu(slices.cpu() - cpuBegun, inspector.meter.spent))
      if (!isDone) return this.#finish(inspector, bytes, start + PART)
      const refusal = this.#judge(inspector)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #charge(taken: number): void {
    this.#left -= taken
    const { startUp } = this.#options.slices
    if (startUp === undefined || this.#left >= 0) return
    const given = Math.min(startUp.left, -this.#left)
    startUp.left -= given
    this.#left += given
  }

  /** Takes the first slice of a part. */
  #begin(part: Buffer): Inspector {
    const { inspection, reader, slices } = this.#options
    const effort = UNITS_PER_PIECE + part.length * UNITS_PER_BYTE
    const cpu = Math.max(0, this.#left) + (slices.startUp?.left ?? 0)
    const inspector = new Inspector({
      ...inspection,
      cpu: slices.cpu,
      bounds: { ...inspection.bounds, effort, cpu },
    })
    inspector.meter.slice(slices.milliseconds, slices.now)
    inspector.visit(reader.visit(part, inspector), 'body')
    return inspector
  }

  #judge(inspector: Inspector): Refusal | undefined {
    const found = inspector.finish()
    return found.matches.length === 0 ? undefined : this.#options.judge(found)
  }

  /** The other slices of a part, and the parts behind it. */
  async #finish(inspector: Inspector, bytes: Buffer, next: number): Promise<Refusal | undefined> {
    const { slices } = this.#options
    for (let isDone = false; !isDone; ) {
      await slices.turn()
      const cpuBegun = slices.cpu()
      const { spent } = inspector.meter
      isDone = inspector.advance(slices.milliseconds, slices.now)
      this.#charge(countedCpu(slices.cpu() - cpuBegun, inspector.meter.spent - spent))
    }
    return this.#judge(inspector) ?? this.#takeFrom(bytes, next)
  }
}
