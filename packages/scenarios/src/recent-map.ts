interface Entry<V> {
  readonly key: string
  readonly rest: string
  readonly value: V
  older: Entry<V> | undefined
  newer: Entry<V> | undefined
  /** How many entries had been put last in the chain when this one was. */
  turn: number
}

/**
 * A map that keeps what was used last: when it is full, what was quiet longest goes. Counts what it gave up.
 * The order is a chain through the entries, because taking a key out of a `Map` and putting it back costs
 * five times as much. What stands in the newest quarter stays where it is when it is used again: moving it
 * would touch three neighbours for every request, each of them a miss of the cache.
 */
export class RecentMap<V> {
  readonly #capacity: number
  readonly #fresh: number
  /**
   * By the first part of the key; where several share it, by the rest: joining both for each look costs more
   * than the look.
   */
  readonly #entries = new Map<string, Entry<V> | Map<string, Entry<V>>>()
  #size = 0
  #oldest: Entry<V> | undefined
  #newest: Entry<V> | undefined
  #evictions = 0
  #turns = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#fresh = capacity >> 2
  }

  get size(): number {
    return this.#size
  }

  get evictions(): number {
    return this.#evictions
  }

  /** The value that was quiet longest. */
  get oldest(): V | undefined {
    return this.#oldest?.value
  }

  /** The value of a key, of one part or two, which is now the last used. */
  find(key: string, rest = ''): V | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    const entry = found instanceof Map ? found.get(rest) : found.rest === rest ? found : undefined
    if (entry === undefined) return undefined
    if (entry !== this.#newest && this.#turns - entry.turn >= this.#fresh) {
      this.#unchain(entry)
      this.#chain(entry)
    }
    return entry.value
  }

  /** Adds the value of a key that is not there; it is now the last used. */
  add(key: string, value: V, rest = ''): V {
    if (this.#size >= this.#capacity) {
      this.dropOldest()
      this.#evictions++
    }
    const entry: Entry<V> = { key, rest, value, older: undefined, newer: undefined, turn: 0 }
    const beside = this.#entries.get(key)
    if (beside === undefined) this.#entries.set(key, entry)
    else if (beside instanceof Map) beside.set(rest, entry)
    else
      this.#entries.set(
        key,
        new Map([
          [beside.rest, beside],
          [rest, entry],
        ]),
      )
    this.#size++
    this.#chain(entry)
    return value
  }

  /** The value of a key, made when there is none; it is now the last used. */
  touch(key: string, make: () => V): V {
    return this.find(key) ?? this.add(key, make())
  }

  /** Forgets the value that was quiet longest; this is not counted as giving up. */
  dropOldest(): void {
    const entry = this.#oldest
    if (entry === undefined) return
    this.#unchain(entry)
    this.#size--
    const beside = this.#entries.get(entry.key)
    if (beside instanceof Map) {
      beside.delete(entry.rest)
      if (beside.size > 0) return
    }
    this.#entries.delete(entry.key)
  }

  #chain(entry: Entry<V>): void {
    entry.turn = ++this.#turns
    entry.older = this.#newest
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #unchain(entry: Entry<V>): void {
    const { older, newer } = entry
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    entry.older = undefined
    entry.newer = undefined
  }
}
