/** How often something was seen, and the first few of it. */
export interface Counted {
  readonly key: string
  readonly count: number
  readonly examples: readonly string[]
}

interface Cell {
  count: number
  readonly examples: string[]
}

const MAX_EXAMPLES = 3

/**
 * The most frequent keys of a stream in bounded memory (Metwally et al., "Space-Saving", 2005): when the
 * table is full, the lightest key makes room and the newcomer inherits its count, so a heavy key is never
 * missed and a count is never too low.
 */
export class TopCounts {
  readonly #cells = new Map<string, Cell>()
  readonly #capacity: number

  /** @param capacity most keys kept at once */
  constructor(capacity = 1_000) {
    this.#capacity = capacity
  }

  /** @param times how often it was seen */
  add(key: string, example?: string, times = 1): void {
    let cell = this.#cells.get(key)
    if (cell === undefined) {
      cell = { count: this.#cells.size >= this.#capacity ? this.#dropLightest() : 0, examples: [] }
      this.#cells.set(key, cell)
    }
    cell.count += times
    if (example !== undefined && cell.examples.length < MAX_EXAMPLES && !cell.examples.includes(example))
      cell.examples.push(example)
  }

  #dropLightest(): number {
    let lightest: string | undefined
    let least = Number.POSITIVE_INFINITY
    for (const [key, { count }] of this.#cells) {
      if (count >= least) continue
      least = count
      lightest = key
      if (least === 1) break
    }
    if (lightest === undefined) return 0
    this.#cells.delete(lightest)
    return least
  }

  /** The heaviest first. */
  top(count: number): readonly Counted[] {
    return [...this.#cells]
      .map(([key, cell]) => ({ key, count: cell.count, examples: cell.examples }))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .slice(0, count)
  }
}
