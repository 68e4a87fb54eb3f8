import type { RandomSource } from '@postern/core'

/** Characters of a record version: 16 bytes of a digest, one character a byte. */
export const VERSION_CHARACTERS = 16

/** Somebody or something that record versions are counted for. */
export interface CountedScope {
  readonly name: string
  /** Versions counted now. */
  readonly used: number
}

interface Scope extends CountedScope {
  readonly id: number
  used: number
  /** Slots of its oldest and newest entry; -1 without one. */
  first: number
  last: number
}

const NONE = -1
const WORDS = 4

/** What keys the hash: random numbers of 32 bits, the factors odd. */
interface Seed {
  readonly add0: number
  readonly add1: number
  readonly add2: number
  readonly times0: number
  readonly times1: number
}

const SEED_BYTES = 20

function seedFrom(bytes: Uint8Array): Seed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEED_BYTES)
  return {
    add0: view.getInt32(0),
    add1: view.getInt32(4),
    add2: view.getInt32(8),
    times0: view.getInt32(12) | 1,
    times1: view.getInt32(16) | 1,
  }
}

/**
 * Distinct record versions per scope within a sliding window: what budgets are counted with.
 *
 * One table for all scopes, in typed arrays: entries are a ring in the order in which they were counted,
 * which is the order in which they expire, and a hash table with linear probing finds them. 40 bytes an
 * entry and no object of its own, so that a million entries cost neither garbage collection nor a pause,
 * and a scope with one entry costs one entry. The hash is keyed with random numbers: versions are digests
 * over a salt that the caller gives, who could otherwise search for ones that collide.
 *
 * Times must not go backwards; one that does is taken for the latest seen.
 */
export class CountedRecords {
  readonly #window: number
  readonly #seed: Seed
  readonly #scopes = new Map<string, Scope>()
  readonly #byId: (Scope | undefined)[] = []
  readonly #freeIds: number[] = []
  #capacity: number
  #words: Uint32Array
  #owners: Uint32Array
  #times: Float64Array
  /** The next entry of the same scope. */
  #next: Int32Array
  /** Slots of entries, at their hash; `NONE` where there is none. Twice as long as the ring. */
  #table: Int32Array
  #head = 0
  #size = 0
  #latest = Number.NEGATIVE_INFINITY
  readonly #wanted = new Uint32Array(WORDS)

  /**
   * @param window milliseconds
   * @param capacity entries to make room for at first; a power of two
   */
  constructor(window: number, random: RandomSource, capacity = 1_024) {
    this.#window = window
    this.#seed = seedFrom(random.bytes(SEED_BYTES))
    this.#capacity = capacity
    this.#words = new Uint32Array(capacity * WORDS)
    this.#owners = new Uint32Array(capacity)
    this.#times = new Float64Array(capacity)
    this.#next = new Int32Array(capacity)
    this.#table = new Int32Array(capacity * 2).fill(NONE)
  }

  /** Scopes in which something is counted. */
  get scopes(): number {
    return this.#scopes.size
  }

  /** Versions counted for a scope now. */
  used(name: string, now: number): number {
    this.expire(now)
    return this.#scopes.get(name)?.used ?? 0
  }

  /** Versions counted now, over all scopes. */
  size(now: number): number {
    this.expire(now)
    return this.#size
  }

  /** Whether a version is counted for a scope. Call `expire` first. */
  has(name: string, version: string): boolean {
    const scope = this.#scopes.get(name)
    if (scope === undefined) return false
    this.#read(version)
    return this.#table[this.#find(scope.id)] !== NONE
  }

  /** Counts a version for a scope, unless it is counted already. True when it was not. */
  add(name: string, version: string, now: number): boolean {
    this.expire(now)
    const scope = this.#scopes.get(name) ?? this.#newScope(name)
    this.#read(version)
    const found = this.#find(scope.id)
    if (this.#table[found] !== NONE) return false
    if (this.#size === this.#capacity) {
      this.#grow()
      this.#insert(scope, this.#find(scope.id))
    } else this.#insert(scope, found)
    return true
  }

  /** When so many units of a scope will be free again under a limit, epoch milliseconds. */
  freeAt(name: string, units: number, limit: number, now: number): number {
    this.expire(now)
    const scope = this.#scopes.get(name)
    let missing = (scope?.used ?? 0) + units - limit
    if (missing <= 0) return now
    for (let slot = scope?.first ?? NONE; slot !== NONE; slot = this.#next[slot] ?? NONE) {
      missing--
      if (missing === 0) return (this.#times[slot] ?? 0) + this.#window
    }
    return now + this.#window
  }

  /** When so many units of all scopes together will be free again under a limit, epoch milliseconds. */
  freeAtInAll(units: number, limit: number, now: number): number {
    const missing = this.size(now) + units - limit
    if (missing <= 0) return now
    if (missing > this.#size) return now + this.#window
    return (this.#times[(this.#head + missing - 1) & (this.#capacity - 1)] ?? 0) + this.#window
  }

  /** Forgets what left the window. */
  expire(now: number): void {
    if (now > this.#latest) this.#latest = now
    while (this.#size > 0 && (this.#times[this.#head] ?? 0) + this.#window <= this.#latest) this.#dropOldest()
  }

  #newScope(name: string): Scope {
    const id = this.#freeIds.pop() ?? this.#byId.length
    const scope: Scope = { name, id, used: 0, first: NONE, last: NONE }
    this.#scopes.set(name, scope)
    this.#byId[id] = scope
    return scope
  }

  /** The four words of a version, into the buffer that `#find` compares with. */
  #read(version: string): void {
    if (version.length !== VERSION_CHARACTERS) throw new RangeError('a record version has 16 characters')
    for (let word = 0, at = 0; word < WORDS; word++, at += 4)
      this.#wanted[word] =
        version.charCodeAt(at) |
        (version.charCodeAt(at + 1) << 8) |
        (version.charCodeAt(at + 2) << 16) |
        (version.charCodeAt(at + 3) << 24)
  }

  /** Position in the table of the wanted version for a scope, or of the gap where it belongs. */
  #find(owner: number): number {
    const mask = this.#table.length - 1
    let at = this.#hash(this.#wanted[0] ?? 0, this.#wanted[1] ?? 0, owner)
    for (;;) {
      const slot = this.#table[at] ?? NONE
      if (slot === NONE || (this.#owners[slot] === owner && this.#isWanted(slot))) return at
      at = (at + 1) & mask
    }
  }

  #isWanted(slot: number): boolean {
    const at = slot * WORDS
    return (
      this.#words[at] === this.#wanted[0] &&
      this.#words[at + 1] === this.#wanted[1] &&
      this.#words[at + 2] === this.#wanted[2] &&
      this.#words[at + 3] === this.#wanted[3]
    )
  }

  #hash(first: number, second: number, owner: number): number {
    const { add0, add1, add2, times0, times1 } = this.#seed
    let mixed =
      Math.imul(first ^ add0, times0) ^
      Math.imul(second ^ add1, times1) ^
      Math.imul(owner ^ add2, 0x9e37_79b1)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b)
    return (mixed ^ (mixed >>> 13)) & (this.#table.length - 1)
  }

  /** The wanted version becomes the newest entry. */
  #insert(scope: Scope, position: number): void {
    const slot = (this.#head + this.#size) & (this.#capacity - 1)
    this.#words.set(this.#wanted, slot * WORDS)
    this.#owners[slot] = scope.id
    this.#times[slot] = this.#latest
    this.#next[slot] = NONE
    this.#table[position] = slot
    if (scope.last === NONE) scope.first = slot
    else this.#next[scope.last] = slot
    scope.last = slot
    scope.used++
    this.#size++
  }

  #dropOldest(): void {
    const slot = this.#head
    const scope = this.#byId[this.#owners[slot] ?? 0] as Scope
    this.#removeFromTable(slot)
    scope.first = this.#next[slot] ?? NONE
    if (scope.first === NONE) scope.last = NONE
    scope.used--
    this.#head = (slot + 1) & (this.#capacity - 1)
    this.#size--
    if (scope.used > 0) return
    this.#scopes.delete(scope.name)
    this.#byId[scope.id] = undefined
    this.#freeIds.push(scope.id)
  }

  /**
   * Takes a slot out and moves what follows back, so that no gap cuts an entry off from its hash
   * (Knuth, The Art of Computer Programming, volume 3, algorithm 6.4 R).
   */
  #removeFromTable(slot: number): void {
    const mask = this.#table.length - 1
    let gap = this.#hashOf(slot)
    while (this.#table[gap] !== slot) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const other = this.#table[at] ?? NONE
      if (other === NONE) break
      // An entry may move to the gap unless its hash lies between the two, the gap excluded.
      if (((at - this.#hashOf(other)) & mask) < ((at - gap) & mask)) continue
      this.#table[gap] = other
      gap = at
    }
    this.#table[gap] = NONE
  }

  #hashOf(slot: number): number {
    return this.#hash(
      this.#words[slot * WORDS] ?? 0,
      this.#words[slot * WORDS + 1] ?? 0,
      this.#owners[slot] ?? 0,
    )
  }

  /** Twice the room; entries keep their order and get slots from 0 on. */
  #grow(): void {
    const { length } = this.#owners
    const words = new Uint32Array(length * 2 * WORDS)
    const owners = new Uint32Array(length * 2)
    const times = new Float64Array(length * 2)
    const next = new Int32Array(length * 2)
    const moved = (slot: number): number => (slot === NONE ? NONE : (slot - this.#head) & (length - 1))
    for (let i = 0; i < length; i++) {
      const slot = (this.#head + i) & (length - 1)
      words.set(this.#words.subarray(slot * WORDS, (slot + 1) * WORDS), i * WORDS)
      owners[i] = this.#owners[slot] ?? 0
      times[i] = this.#times[slot] ?? 0
      next[i] = moved(this.#next[slot] ?? NONE)
    }
    for (const scope of this.#scopes.values()) {
      scope.first = moved(scope.first)
      scope.last = moved(scope.last)
    }
    this.#capacity = length * 2
    this.#words = words
    this.#owners = owners
    this.#times = times
    this.#next = next
    this.#head = 0
    this.#table = new Int32Array(length * 4).fill(NONE)
    const mask = this.#table.length - 1
    for (let slot = 0; slot < length; slot++) {
      let at = this.#hashOf(slot)
      while (this.#table[at] !== NONE) at = (at + 1) & mask
      this.#table[at] = slot
    }
  }
}
