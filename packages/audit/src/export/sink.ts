import type { Entry } from '../entry/entry.ts'

/** A destination for entries: a syslog collector, a webhook. */
export interface Sink {
  /** For health and errors, without credentials. */
  readonly name: string
  /**
   * Sends some entries, in order. Rejects when they did not arrive; the same entries are then sent again.
   * @param signal aborted when it takes too long
   * @returns `too-large` when the receiver will never take so much at once, and would take less
   */
  send(entries: readonly Entry[], signal: AbortSignal): Promise<'taken' | 'too-large'>
  close(): void
}
