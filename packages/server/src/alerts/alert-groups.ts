import type { Timers } from '@postern/core'
import type { Alert } from './alert-message.ts'

interface Group {
  readonly first: Alert
  said: number
  further: number
}

/** Alerts of one kind that are sent one by one within a minute. */
const EACH = 10
const WINDOW_MS = 60_000
/** Kinds within a minute; they come from scenarios, so that there are few. */
const MAX_KINDS = 500

/**
 * Of a flood the first alerts of a kind are sent one by one, and how many more there were once, at the end of
 * the minute: ten thousand banned addresses wake nobody ten thousand times, and hide no finding of another
 * kind.
 */
export class AlertGroups {
  readonly #timers: Timers
  readonly #send: (alert: Alert) => void
  readonly #groups = new Map<string, Group>()

  /** @param send sends the alert that stands for the rest of a group */
  constructor(timers: Timers, send: (alert: Alert) => void) {
    this.#timers = timers
    this.#send = send
  }

  /** Whether an alert is sent by itself; else it is counted. */
  admits(alert: Alert): boolean {
    const known = this.#groups.get(alert.kind)
    if (known === undefined) {
      if (this.#groups.size >= MAX_KINDS) return true
      this.#groups.set(alert.kind, { first: alert, said: 1, further: 0 })
      this.#timers.after(WINDOW_MS, () => this.#end(alert.kind))
      return true
    }
    if (known.said < EACH) {
      known.said++
      return true
    }
    known.further++
    return false
  }

  #end(kind: string): void {
    const group = this.#groups.get(kind)
    this.#groups.delete(kind)
    if (group === undefined || group.further === 0) return
    const { first, further } = group
    this.#send({
      ...first,
      key: `${first.key} further`,
      summary: `${kind}: ${further} further actors within a minute`,
      facts: { severity: first.severity, further: String(further) },
    })
  }
}
