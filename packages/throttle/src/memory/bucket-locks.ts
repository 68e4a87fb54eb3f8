/** How often a lock is tried before its thread lets others run. */
const SPINS = 200
/**
 * Milliseconds after which a lock counts as left behind by a thread that died: it is held for microseconds.
 */
const ABANDONED_AFTER = 50
const NAP = 0.5

/**
 * A lock per bucket, in shared memory, so that threads sharing a table never see half a decision. All buckets
 * of a decision are locked in ascending order, so two decisions cannot wait for each other. A lock whose
 * holder died is taken over after 50 ms.
 */
export class BucketLocks {
  readonly #locks: Int32Array
  /** This thread's mark in a lock word: never 0, and different in every thread that has the table open. */
  readonly #mark: number
  readonly #held: Int32Array
  #count = 0
  #tried = -1

  /**
   * @param locks one word per bucket
   * @param mark not 0, and used by no other thread
   * @param capacity most buckets of one decision
   */
  constructor(locks: Int32Array, mark: number, capacity: number) {
    this.#locks = locks
    this.#mark = mark
    this.#held = new Int32Array(capacity)
  }

  /** Notes a bucket to be locked by the next `lock`. */
  want(bucket: number): void {
    const held = this.#held
    let at = this.#count
    while (at > 0 && (held[at - 1] as number) >= bucket) {
      if (held[at - 1] === bucket) return
      at--
    }
    held.copyWithin(at + 1, at, this.#count)
    held[at] = bucket
    this.#count++
  }

  /** Locks all wanted buckets. */
  lock(): void {
    for (let i = 0; i < this.#count; i++) this.#acquire(this.#held[i] as number)
  }

  /** Unlocks them again; none is wanted then. */
  unlock(): void {
    for (let i = this.#count - 1; i >= 0; i--) this.#release(this.#held[i] as number)
    this.#count = 0
  }

  /**
   * Locks one more bucket if that needs no waiting; at most one at a time. A bucket of this decision is
   * locked already.
   */
  tryLock(bucket: number): 'locked' | 'busy' {
    for (let i = 0; i < this.#count; i++) if (this.#held[i] === bucket) return 'locked'
    if (Atomics.compareExchange(this.#locks, bucket, 0, this.#mark) !== 0) return 'busy'
    this.#tried = bucket
    return 'locked'
  }

  /** Undoes the last `tryLock`. */
  unlockTried(): void {
    if (this.#tried >= 0) this.#release(this.#tried)
    this.#tried = -1
  }

  #acquire(bucket: number): void {
    const locks = this.#locks
    for (let i = 0; i < SPINS; i++) if (Atomics.compareExchange(locks, bucket, 0, this.#mark) === 0) return
    let holder = Atomics.load(locks, bucket)
    for (let waited = 0; ; waited += NAP) {
      if (Atomics.compareExchange(locks, bucket, 0, this.#mark) === 0) return
      const seen = Atomics.load(locks, bucket)
      if (seen !== holder) {
        holder = seen
        waited = 0
      }
      if (waited >= ABANDONED_AFTER && Atomics.compareExchange(locks, bucket, holder, this.#mark) === holder)
        return
      Atomics.wait(locks, bucket, holder, NAP)
    }
  }

  /** Only this thread's own mark is taken off: a lock that another thread took over is that thread's. */
  #release(bucket: number): void {
    Atomics.compareExchange(this.#locks, bucket, this.#mark, 0)
    Atomics.notify(this.#locks, bucket, 1)
  }
}
