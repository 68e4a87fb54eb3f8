/** A map of bounded size that forgets what was used longest ago. */
export class RecentMap<Value> {
  readonly #max: number
  readonly #entries = new Map<string, Value>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  /** Keeps a value, as the one used last. */
  set(key: string, value: Value): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#max) {
      const oldest = this.#entries.keys().next().value
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, value)
  }
}
