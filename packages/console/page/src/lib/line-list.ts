import type { EventRow } from './types.ts'

/** Lines by their place, newest first: an array of rows is one. */
export interface Lines {
  readonly length: number
  at(index: number): EventRow | undefined
}

/**
 * A long list that grows at both ends: newer rows before the first, older ones behind the last. Adding costs
 * what is added, however long the list is; beyond the limit the oldest rows are evicted.
 */
export class LineList implements Lines {
  readonly #limit: number
  /** Oldest first, so that the newest is pushed. */
  #newer: EventRow[] = []
  /** Newest first. */
  #older: EventRow[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get length(): number {
    return this.#newer.length + this.#older.length
  }

  at(index: number): EventRow | undefined {
    if (index < 0) return undefined
    const newer = this.#newer.length
    return index < newer ? this.#newer[newer - 1 - index] : this.#older[index - newer]
  }

  /** @param rows oldest first, as they arrive */
  addNewer(rows: readonly EventRow[]): void {
    for (const row of rows) this.#newer.push(row)
    const excess = this.length - this.#limit
    if (excess <= 0) return
    const fromOlder = Math.min(excess, this.#older.length)
    this.#older.length -= fromOlder
    if (excess > fromOlder) this.#newer.splice(0, excess - fromOlder)
  }

  /** @param rows newest first, as a page of the API */
  addOlder(rows: readonly EventRow[]): void {
    const room = this.#limit - this.length
    for (const row of rows.slice(0, Math.max(0, room))) this.#older.push(row)
  }

  /** Replaces everything. @param rows newest first */
  replace(rows: readonly EventRow[]): void {
    this.#newer = []
    this.#older = rows.slice(0, this.#limit)
  }

  /** The rows that match, from the first to the last. */
  filter(matches: (row: EventRow) => boolean): readonly EventRow[] {
    return [...this.#newer.toReversed().filter(matches), ...this.#older.filter(matches)]
  }

  /** The last row that the store has numbered: where the next page begins. */
  get oldestId(): number | undefined {
    return (
      this.#older.findLast(({ id }) => id !== undefined)?.id ??
      this.#newer.find(({ id }) => id !== undefined)?.id
    )
  }
}
