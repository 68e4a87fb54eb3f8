import { createHash } from 'node:crypto'
import type { Event } from '@postern/core'
import { type Erasure, erasureEvent } from '../entry/compose-leaf.ts'
import { eventProblem } from '../entry/event-shape.ts'
import { eventText } from '../entry/event-text.ts'

/** A row of the inbox. A client that may insert there may insert anything. */
export interface InboxRow {
  readonly id: string
  readonly kind: 'event' | 'erasure'
  readonly event: string
}

/** What a row requests: to log an event, and perhaps to destroy a key. */
export interface InboxEvent {
  readonly event: Event
  /** Id of the key to destroy. */
  readonly erases?: string
}

/** Type of the entry that replaces a row that could not be read. */
export const UNREADABLE = 'audit.unreadable'

/**
 * Reads a row of the inbox. A row that is not an event becomes an entry with its SHA-256 and length: it stays
 * visible, and does not stop the rows after it.
 * @param now epoch milliseconds
 */
export function readInbox(row: InboxRow, now: number): InboxEvent {
  let value: unknown
  try {
    value = JSON.parse(row.event)
  } catch {
    return { event: unreadable(row, now, 'is not JSON') }
  }
  if (row.kind === 'erasure')
    return isErasure(value)
      ? { event: erasureEvent(value), erases: value.key }
      : { event: unreadable(row, now, 'is not an erasure') }
  const problem = eventProblem(value)
  if (problem !== undefined) return { event: unreadable(row, now, problem) }
  // Serialized again to apply the bound on its length: `appendIn` need not have written it.
  return { event: JSON.parse(eventText(value as Event)) as Event }
}

/** @param problem without any contents of the row */
export function unreadable({ event }: InboxRow, now: number, problem: string): Event {
  const sha256 = createHash('sha256').update(event).digest('hex')
  return {
    type: UNREADABLE,
    time: now,
    actor: {},
    data: { problem, sha256, bytes: Buffer.byteLength(event) },
  }
}

function isErasure(value: unknown): value is Erasure {
  if (typeof value !== 'object' || value === null) return false
  const { key, tenant, time } = value as Readonly<Record<string, unknown>>
  return (
    typeof key === 'string' &&
    /^[0-9a-f]{32}$/.test(key) &&
    typeof tenant === 'string' &&
    typeof time === 'number' &&
    Number.isFinite(time)
  )
}
