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
  return JSON.stringify({ ...beginnings(plain), data: { replaced: 'event', ...digest } })
}

/** Characters of a field of an event that is too long: as JSON each may take six bytes. */
const SHORT = 100
const LONG = 600

/**
 * The beginning of every field: an event that a client made too long still says who did what. Together at
 * most 30,000 bytes.
 */
function beginnings({
  type,
  time,
  actor,
  request,
  resource,
  action,
  decision,
  guard,
  reasons,
}: Event): Event {
  return {
    type: type.slice(0, SHORT),
    time,
    actor: cut(actor, LONG),
    ...(request !== undefined && { request: { ...request, ...cut(request, LONG) } }),
    ...(resource !== undefined && { resource: { ...resource, ...cut(resource, SHORT) } }),
    ...cut({ action, guard }, SHORT),
    ...(decision !== undefined && decision.length < SHORT && { decision }),
    ...(reasons !== undefined && {
      reasons: reasons.slice(0, 10).map(({ rule }) => ({ rule: rule.slice(0, SHORT), message: '' })),
    }),
  }
}

/** The texts of an object, none longer than `most`; each in well-formed Unicode. */
function cut<T extends object>(fields: T, most: number): { [K in keyof T]?: string } {
  const texts: { [K in keyof T]?: string } = {}
  for (const [name, value] of Object.entries(fields))
    if (typeof value === 'string') texts[name as keyof T] = value.slice(0, most).toWellFormed()
  return texts
}
