import { createHash } from 'node:crypto'
import type { Event } from '@postern/core'
import { type Erasure, erasureEvent } from '../compose-leaf.ts'
import { eventProblem } from '../event-shape.ts'
import { eventText } from '../event-text.ts'

/** A row of the inbox. Whoever may insert there, may insert anything. */
export interface InboxRow {
  readonly id: string
  readonly kind: 'event' | 'erasure'
  readonly event: string
}

/** What a row asks for: an event to enter, and perhaps a key to destroy. */
export interface InboxEvent {
  readonly event: Event
  /** Id of the key to destroy. */
  readonly erases?: string
}

/** Type of the entry that stands for a row that could not be read. */
export const UNREADABLE = 'audit.unreadable'

/**
 * What a row of the inbox asks for. One that is no event becomes an entry with its SHA-256 and length: it is not lost from sight, and it does not
 * stop those behind it.
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
      : { event: unreadable(row, now, 'is no erasure') }
  const problem = eventProblem(value)
  if (problem !== undefined) return { event: unreadable(row, now, problem) }
  // Again as text, for the bound on its length: it need not have been written by `appendIn`.
  return { event: JSON.parse(eventText(value as Event)) as Event }
}

/** @param problem without anything that stands in the row */
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
