/** A map that keeps what was used last: when it is full, what was quiet longest goes. Counts what it gave up. */
export class RecentMap<V> {
  readonly #capacity: number
  readonly #entries = new Map<string, V>()
  #evictions = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get evictions(): number {
    return this.#evictions
  }

  /** The value of a key, made when there is none; it is now the last used. */
  touch(key: string, make: () => V): V {
    const known = this.#entries.get(key)
    const value = known ?? make()
    if (known !== undefined) this.#entries.delete(key)
    else if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next().value
      if (oldest !== undefined) this.#entries.delete(oldest)
      this.#evictions++
    }
    this.#entries.set(key, value)
    return value
  }
}
