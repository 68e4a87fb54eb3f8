import type { LogRecord } from '@postern/access-log'
import type { Refusal } from '@postern/core'
import { type Counted, TopCounts } from './top-counts.ts'

/** Where a second configuration decided otherwise than the first, by the rule that made the difference. */
export interface ReplayDifference {
  readonly newlyRefused: number
  readonly newlyAllowed: number
  readonly refusedBy: readonly Counted[]
  readonly allowedFrom: readonly Counted[]
}

/** Compares what two configurations say of the same entries. */
export class DifferenceCount {
  readonly #refusedBy = new TopCounts()
  readonly #allowedFrom = new TopCounts()
  #newlyRefused = 0
  #newlyAllowed = 0

  /** @param before what the first configuration said @param after what the second said */
  add(entry: LogRecord, before: Refusal | undefined, after: Refusal | undefined): void {
    if ((before === undefined) === (after === undefined)) return
    const example = `${entry.address} ${entry.method} ${entry.target}`.slice(0, 200)
    if (after !== undefined) {
      this.#newlyRefused++
      this.#refusedBy.add(after.reasons[0].rule, example)
    } else if (before !== undefined) {
      this.#newlyAllowed++
      this.#allowedFrom.add(before.reasons[0].rule, example)
    }
  }

  report(): ReplayDifference {
    return {
      newlyRefused: this.#newlyRefused,
      newlyAllowed: this.#newlyAllowed,
      refusedBy: this.#refusedBy.top(20),
      allowedFrom: this.#allowedFrom.top(20),
    }
  }
}
