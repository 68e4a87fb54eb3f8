import { type Event, HttpEvent } from '@postern/core'
import type { FieldReader, FieldValue } from './event-fields.ts'

/** Of each value this much tells groups apart. */
const MAX_PART = 512
/** Targets up to this length may be held on to by a piece of them. */
const MAX_HELD = 1_024

/** The value of the first field; undefined when it is missing, empty when there are no fields. */
export function firstPart(event: Event, readers: readonly FieldReader[]): string | undefined {
  return readers.length === 0 ? '' : partOf(event, readers[0] as FieldReader)
}

/**
 * The values of all other fields as one text; undefined when one is missing, empty when there is no other.
 * Where there are two fields, as nearly always, it is the second value as it is: putting a key together for
 * each request took as long as finding the group.
 */
export function otherParts(event: Event, readers: readonly FieldReader[]): string | undefined {
  if (readers.length < 2) return ''
  let rest = partOf(event, readers[1] as FieldReader)
  for (let i = 2; i < readers.length; i++) {
    const part = partOf(event, readers[i] as FieldReader)
    rest = rest === undefined || part === undefined ? undefined : `${rest}\u001f${part}`
  }
  return rest
}

/** The values of all fields as one text; undefined when one is missing. */
export function allParts(event: Event, readers: readonly FieldReader[]): string | undefined {
  const first = firstPart(event, readers)
  if (first === undefined || readers.length < 2) return first
  const rest = otherParts(event, readers)
  return rest === undefined ? undefined : `${first}\u001f${rest}`
}

function partOf(event: Event, reader: FieldReader): string | undefined {
  const value: FieldValue = reader(event)
  if (value === undefined || value === '') return undefined
  const text = typeof value === 'string' ? value : typeof value === 'object' ? value.join(',') : String(value)
  return text.length > MAX_PART ? text.slice(0, MAX_PART) : text
}

/**
 * A text of an event that may be kept. A piece of a long target holds on to all of it: 20,000 groups of one
 * client could hold 300 MB.
 */
export function kept(text: string, event: Event): string {
  if (!(event instanceof HttpEvent) || event.exchange.source.target.length <= MAX_HELD) return text
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
