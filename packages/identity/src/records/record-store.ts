/**
 * What a step makes of a record: the new one to keep, or none to leave it as it is,
 * and what the caller wants to know.
 */
export interface Step<Kept, Result> {
  readonly record?: Kept
  readonly result: Result
}

/** Keeps one record per key. */
export interface RecordStore<Kept> {
  readonly name: string
  /**
   * Applies a step to a record, atomically among all processes that share the store. The
   * step is pure and may run more than once.
   * @throws StoreError when the store does not answer
   */
  update<Result>(key: string, step: (record: Kept) => Step<Kept, Result>): Result | Promise<Result>
}

/** How records of a kind are kept. */
export interface RecordCodec<Kept> {
  /** @param text undefined where nothing was kept */
  read(text: string | undefined): Kept
  write(record: Kept): string
  /** Milliseconds from now after which nothing in the record matters any more. */
  lifetime(record: Kept, now: number): number
}
