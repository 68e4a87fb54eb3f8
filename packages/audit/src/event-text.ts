import { createHash } from 'node:crypto'
import { ConfigError, type Event } from '@postern/core'
import { eventProblem } from './event-shape.ts'

/**
 * Bytes of JSON an event may have: sealed, with base64 and its frame, it still fits an entry of 65,535 bytes.
 */
const MAX_EVENT_BYTES = 45_000

/**
 * An event as the text that is stored. Content beyond 45,000 bytes is replaced by its SHA-256 and length:
 * first the package's own data, then the evidence of the reasons, then everything but type and time.
 * @throws ConfigError for a value that is not an event
 */
export function eventText(event: Event): string {
  const problem = eventProblem(event)
  if (problem !== undefined) throw new ConfigError({ place: 'audit event', problem })
  const text = JSON.stringify(event)
  // A UTF-16 unit is at most three bytes: the usual event needs no counting.
  if (text.length * 3 <= MAX_EVENT_BYTES || Buffer.byteLength(text) <= MAX_EVENT_BYTES) return text
  const plain = JSON.parse(text) as Event
  const digest = { sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) }
  const { data: _data, ...withoutData } = plain
  const first = JSON.stringify({ ...withoutData, data: { replaced: 'data', ...digest } })
  if (Buffer.byteLength(first) <= MAX_EVENT_BYTES) return first
  const reasons = plain.reasons
    ?.slice(0, 10)
    .map(({ rule, message }) => ({ rule, message: message.slice(0, 500) }))
  const second = JSON.stringify({
    ...withoutData,
    ...(reasons !== undefined && { reasons }),
    data: { replaced: 'data, evidence', ...digest },
  })
  if (Buffer.byteLength(second) <= MAX_EVENT_BYTES) return second
  return JSON.stringify({
    type: plain.type.slice(0, 200),
    time: plain.time,
    actor: plain.actor.tenant === undefined ? {} : { tenant: plain.actor.tenant.slice(0, 200) },
    data: { replaced: 'event', ...digest },
  })
}
