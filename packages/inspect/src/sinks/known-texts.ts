import type { SinkKind } from './sink-calls.ts'

/** Statements that are remembered, and how long they may be. */
const MOST_KNOWN = 2_000
const LONGEST_KNOWN = 4_096

/**
 * Statements that were compared with the values of a request and found to carry none. An application that
 * binds its parameters sends the same few over and over: those are compared once. Whoever could bring an
 * attack in here unseen had it run already.
 */
export class KnownTexts {
  readonly #statements = new Set<string>()

  has(kind: SinkKind, text: string): boolean {
    return kind === 'sql' && this.#statements.has(text)
  }

  add(kind: SinkKind, text: string): void {
    if (kind !== 'sql' || text.length > LONGEST_KNOWN) return
    if (this.#statements.size >= MOST_KNOWN) this.#statements.clear()
    this.#statements.add(text)
  }
}
