/** Records opened under one charge, as a holder remembers them over a restart. */
export interface OpenedEntry {
  readonly time: number
  readonly person: string | undefined
  readonly service: string
  /** Record version to table. */
  readonly records: ReadonlyMap<string, string>
}

/** Search terms made under one charge. */
export interface SearchedEntry {
  readonly time: number
  /** Whose budget paid: `search SERVICE` or `store SERVICE`. */
  readonly scope: string
  /** 16 characters of a digest each. */
  readonly terms: readonly string[]
}

/** A capability that was used up. */
export interface UsedCapability {
  /** Through which service it came; empty for one that an earlier version wrote down. */
  readonly service: string
  readonly actor: string
  readonly nonce: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/**
 * What a holder must not forget. Every method returns once it is on the disk, `opened` and `searched` once
 * the operating system has it; they throw StoreError when it is not.
 */
export interface HolderJournal {
  /** Writes down an opening, and the capability that it used up, in one transaction. */
  opened(entry: OpenedEntry, used?: UsedCapability): void
  /** Entries younger than `since`, oldest first. */
  openedSince(since: number): Iterable<OpenedEntry>
  /** Writes down terms that were made. */
  searched(entry: SearchedEntry): void
  searchedSince(since: number): Iterable<SearchedEntry>
  guessed(user: string, time: number): void
  guessedSince(since: number): Iterable<{ readonly user: string; readonly time: number }>
  usedAfter(now: number): Iterable<UsedCapability>
  /** Latest expiry of the used capabilities that were cleared, epoch milliseconds; 0 when none was. */
  forgottenUntil(): number
  freeze(actor: string, reason: string, time: number): void
  thaw(actor: string): void
  frozen(): Iterable<{ readonly actor: string; readonly reason: string; readonly time: number }>
  addCanary(record: string): void
  canaries(): Iterable<string>
  /** Clears what is older. May leave some of it for the next call, so that no call takes long. */
  prune(before: number): void
}
