import type { HolderJournal, OpenedEntry, SearchedEntry, UsedCapability } from './holder-journal.ts'

/** A journal that dies with its object: for tests, models and benchmarks of the core. */
export class MemoryJournal implements HolderJournal {
  readonly #opened: OpenedEntry[] = []
  readonly #searched: SearchedEntry[] = []
  readonly #guessed: { user: string; time: number }[] = []
  #used: UsedCapability[] = []
  #forgottenUntil = 0
  readonly #frozen = new Map<string, { actor: string; reason: string; time: number }>()
  readonly #canaries = new Set<string>()

  opened(entry: OpenedEntry, used?: UsedCapability): void {
    if (entry.records.size > 0) this.#opened.push(entry)
    if (used !== undefined) this.#used.push(used)
  }
  openedSince(since: number): Iterable<OpenedEntry> {
    return this.#opened.filter(({ time }) => time > since)
  }
  searched(entry: SearchedEntry): void {
    this.#searched.push(entry)
  }
  searchedSince(since: number): Iterable<SearchedEntry> {
    return this.#searched.filter(({ time }) => time > since)
  }
  guessed(user: string, time: number): void {
    this.#guessed.push({ user, time })
  }
  guessedSince(since: number): Iterable<{ readonly user: string; readonly time: number }> {
    return this.#guessed.filter(({ time }) => time > since)
  }
  usedAfter(now: number): Iterable<UsedCapability> {
    return this.#used.filter(({ expiresAt }) => expiresAt > now)
  }
  forgottenUntil(): number {
    return this.#forgottenUntil
  }
  freeze(actor: string, reason: string, time: number): void {
    this.#frozen.set(actor, { actor, reason, time })
  }
  thaw(actor: string): void {
    this.#frozen.delete(actor)
  }
  frozen(): Iterable<{ readonly actor: string; readonly reason: string; readonly time: number }> {
    return this.#frozen.values()
  }
  addCanary(record: string): void {
    this.#canaries.add(record)
  }
  canaries(): Iterable<string> {
    return this.#canaries
  }
  prune(before: number): void {
    const keep = this.#opened.findIndex(({ time }) => time > before)
    this.#opened.splice(0, keep < 0 ? this.#opened.length : keep)
    for (const { expiresAt } of this.#used)
      if (expiresAt <= before) this.#forgottenUntil = Math.max(this.#forgottenUntil, expiresAt)
    this.#used = this.#used.filter(({ expiresAt }) => expiresAt > before)
  }
}
