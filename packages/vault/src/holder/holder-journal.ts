/** Records opened under one charge, as a holder remembers them over a restart. */
export interface OpenedEntry {
  readonly time: number
  readonly person: string | undefined
  readonly service: string
  /** Record version to table. */
  readonly records: ReadonlyMap<string, string>
}

/**
 * What a holder must not forget. Every method returns once it is on the disk, and
 * throws StoreError when it is not.
 */
export interface HolderJournal {
  opened(entry: OpenedEntry): void
  /** Entries younger than `since`, oldest first. */
  openedSince(since: number): Iterable<OpenedEntry>
  guessed(user: string, time: number): void
  guessedSince(since: number): Iterable<{ readonly user: string; readonly time: number }>
  used(capability: string, expiresAt: number): void
  usedAfter(now: number): Iterable<{ readonly capability: string; readonly expiresAt: number }>
  freeze(actor: string, reason: string, time: number): void
  thaw(actor: string): void
  frozen(): Iterable<{ readonly actor: string; readonly reason: string; readonly time: number }>
  addCanary(record: string): void
  canaries(): Iterable<string>
  prune(before: number): void
}
