import type { HolderJournal, OpenedEntry } from './holder-journal.ts'

/** A journal that dies with its object: for tests, models and benchmarks of the core. */
export class MemoryJournal implements HolderJournal {
  readonly #opened: OpenedEntry[] = []
  readonly #guessed: { user: string; time: number }[] = []
  readonly #used: { capability: string; expiresAt: number }[] = []
  readonly #frozen = new Map<string, { actor: string; reason: string; time: number }>()
  readonly #canaries = new Set<string>()

  opened(entry: OpenedEntry): void {
    this.#opened.push(entry)
  }
  openedSince(since: number): Iterable<OpenedEntry> {
    return this.#opened.filter(({ time }) => time > since)
  }
  guessed(user: string, time: number): void {
    this.#guessed.push({ user, time })
  }
  guessedSince(since: number): Iterable<{ readonly user: string; readonly time: number }> {
    return this.#guessed.filter(({ time }) => time > since)
  }
  used(capability: string, expiresAt: number): void {
    this.#used.push({ capability, expiresAt })
  }
  usedAfter(now: number): Iterable<{ readonly capability: string; readonly expiresAt: number }> {
    return this.#used.filter(({ expiresAt }) => expiresAt > now)
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
  }
}
