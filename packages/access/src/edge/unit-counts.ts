import { UnitsInWindow } from '../budget/units-in-window.ts'

/** What becomes of the count of a key: the new one, or none where it stays, and what was asked. */
export interface CountStep<Kept, Result> {
  readonly record?: Kept
  readonly result: Result
}

/** Where is counted what budgets limit: one count per key. */
export interface KeptCounts<Kept> {
  /**
   * Applies a step to the count of a key, atomically among all processes that share the counts. The step
   * leaves what it gets as it is, and may run more than once.
   * @throws StoreError where they are kept in a store that does not answer
   */
  update<Result>(key: string, step: (kept: Kept) => CountStep<Kept, Result>): Result | Promise<Result>
}

/** Counts of units in windows. */
export type UnitCounts = KeptCounts<UnitsInWindow>

/** How counts are kept in a store, as text. */
export const UNITS_CODEC: {
  read(text: string | undefined): UnitsInWindow
  write(units: UnitsInWindow): string
  lifetime(units: UnitsInWindow): number
} = {
  read: text => UnitsInWindow.read(text),
  write: String,
  lifetime: units => units.lifetime,
}

/**
 * Counts in this process's memory.
 * @param capacity keys at most; the least recently used is forgotten
 * @param none what counts for a key that is not known
 */
export function memoryCounts<Kept>(capacity: number, none: Kept): KeptCounts<Kept> {
  const table = new Map<string, Kept>()
  return {
    update: (key, step) => {
      const { record, result } = step(table.get(key) ?? none)
      if (record === undefined) return result
      table.delete(key)
      table.set(key, record)
      const oldest = table.size > capacity ? table.keys().next().value : undefined
      if (oldest !== undefined) table.delete(oldest)
      return result
    },
  }
}
