import type { ConfigChange, ConfigException, Event } from '@postern/core'
import type { StoredEvent } from '../traffic/traffic-event.ts'
import { type ApiCall, ApiProblem } from './api-route.ts'
import { lineDiff } from './line-diff.ts'

/** Every event about the request: kept ones, else those of the audit log. */
export async function eventsOf({ parts, path }: ApiCall): Promise<readonly StoredEvent[]> {
  const { id = '' } = path
  if (!/^[0-9a-z]{20}$/.test(id))
    throw new ApiProblem(404, 'that is not a request id; it has 20 letters and digits')
  // Somebody may ask in the moment in which the answer came.
  await parts.flush()
  const kept = await parts.traffic.ofRequest(id)
  if (kept.length > 0) return kept
  const found: StoredEvent[] = []
  const reader = await parts.audit?.()
  if (reader !== undefined)
    for await (const { event, personal, index } of reader.query({ request: id, order: 'oldest', limit: 20 }))
      found.push({
        id: Number(index),
        event,
        weight: 1,
        erased: personal === 'erased',
        guardTimes: undefined,
      })
  if (found.length === 0)
    throw new ApiProblem(
      404,
      'nothing was kept about this request: of many allowed requests only some are, and of old ones none',
    )
  return found
}

function exceptionsIn({ reasons }: Event): readonly ConfigException[] {
  return (reasons ?? []).flatMap(({ exception }) => (typeof exception === 'object' ? [exception] : []))
}

/** All exceptions of a request as one. */
export function exceptionOf(events: readonly StoredEvent[]): ConfigException {
  const exceptions = events.flatMap(({ event }) => exceptionsIn(event))
  const changes: readonly ConfigChange[] = exceptions.flatMap(exception => exception.changes)
  const command = exceptions.find(exception => exception.command !== undefined)?.command
  if (changes.length === 0)
    throw new ApiProblem(409, command ?? 'nothing in the configuration can let this request pass')
  return { changes, ...(command !== undefined && { command }) }
}

/** The file of the configuration with an exception in it, as a diff. Nothing is written. */
export function exceptionAsDiff({ parts }: ApiCall, exception: ConfigException): object {
  const edited = parts.settings.edited(exception)
  return {
    lines: parts.settings.describe(exception),
    ...(edited !== undefined && { path: edited.path, diff: lineDiff(edited.before, edited.after) }),
  }
}

/** The same of what would let a request pass; undefined where no change of the configuration does. */
export function exceptionShown(call: ApiCall, events: readonly StoredEvent[]): object | undefined {
  try {
    return exceptionAsDiff(call, exceptionOf(events))
  } catch (error) {
    if (error instanceof ApiProblem) return undefined
    throw error
  }
}

/** The rule that decided. @throws ApiProblem 409 when the request was not refused */
export function decisiveRule(events: readonly StoredEvent[]): string {
  for (const { event } of events) {
    const rule = event.reasons?.[0]?.rule
    if (rule !== undefined) return rule
  }
  throw new ApiProblem(409, 'this request was not refused')
}
