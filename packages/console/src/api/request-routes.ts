import type { ConfigChange, ConfigException, Event } from '@postern/core'
import type { StoredEvent } from '../traffic/traffic-store.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { eventRow } from './event-row.ts'
import { lineDiff } from './line-diff.ts'

/** One request: why it was refused, and what would let it pass. */
export const requestRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/requests/{id}',
    role: 'viewer',
    summary:
      'Why: every guard that was asked, with its time, the matched part, and the change that would let it pass.',
    answer:
      '`request`, `guards`, `reasons`, `events` (everything recorded about it), `entries` of the audit log.',
    handle: why,
  },
  {
    method: 'GET',
    path: '/requests/{id}/exception',
    role: 'operator',
    summary: 'The file of the configuration with the exception in it, as a diff; nothing is written.',
    answer: '`path`, `diff`, `command` to run as well; `path` is absent where the file is a program.',
    handle: async call => {
      const exception = exceptionOf(await eventsOf(call))
      const edited = call.parts.settings.edited(exception)
      return {
        lines: call.parts.settings.describe(exception),
        ...(edited !== undefined && { path: edited.path, diff: lineDiff(edited.before, edited.after) }),
      }
    },
  },
  {
    method: 'POST',
    path: '/requests/{id}/exception',
    role: 'operator',
    summary:
      'Writes the exception into the configuration and puts it into force, as `postern explain --apply` does.',
    answer: '`path` that was written, `notes` for the operator.',
    handle: apply,
  },
]

/** Every event about the request: kept ones, else those of the audit log. */
async function eventsOf({ parts, path }: ApiCall): Promise<readonly StoredEvent[]> {
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

async function why(call: ApiCall): Promise<unknown> {
  const events = await eventsOf(call)
  const main = events.find(({ event }) => event.type === 'http') ?? events[0]
  if (main === undefined) throw new ApiProblem(404, 'nothing was kept about this request')
  const { event } = main
  const { settings } = call.parts
  return {
    request: eventRow(main),
    erased: main.erased,
    guard: event.guard,
    guards: main.guardTimes ?? [],
    reasons: (event.reasons ?? []).map(({ exception, ...reason }) => ({
      ...reason,
      ...(typeof exception === 'object' && {
        exception: { lines: settings.describe(exception), isChange: exception.changes.length > 0 },
      }),
    })),
    others: events.filter(other => other !== main).map(eventRow),
    entries: await entriesOf(call),
  }
}

/** Where the audit log holds it. Newest entries are published within a second. */
async function entriesOf({ parts, path }: ApiCall): Promise<readonly number[]> {
  const reader = await parts.audit?.().catch(() => undefined)
  if (reader === undefined) return []
  const found: number[] = []
  for await (const { index } of reader.query({ request: path['id'] ?? '', order: 'oldest', limit: 20 }))
    found.push(Number(index))
  return found
}

function exceptionsIn({ reasons }: Event): readonly ConfigException[] {
  return (reasons ?? []).flatMap(({ exception }) => (typeof exception === 'object' ? [exception] : []))
}

/** All exceptions of a request as one. */
function exceptionOf(events: readonly StoredEvent[]): ConfigException {
  const exceptions = events.flatMap(({ event }) => exceptionsIn(event))
  const changes: readonly ConfigChange[] = exceptions.flatMap(exception => exception.changes)
  const command = exceptions.find(exception => exception.command !== undefined)?.command
  if (changes.length === 0)
    throw new ApiProblem(409, command ?? 'nothing in the configuration can let this request pass')
  return { changes, ...(command !== undefined && { command }) }
}

async function apply(call: ApiCall): Promise<unknown> {
  const exception = exceptionOf(await eventsOf(call))
  const { parts, session, path } = call
  const edited = parts.settings.edited(exception)
  if (edited === undefined)
    throw new ApiProblem(
      409,
      'the configuration is a program, which people write: make the change in it yourself',
    )
  await parts.record(
    {
      action: 'exception.apply',
      resource: { type: 'configuration' },
      data: { request: path['id'] ?? '', changes: exception.changes.map(change => ({ ...change })) },
    },
    session.name,
  )
  const notes = await parts.settings.write(edited, session.name)
  const { command } = exception
  return { path: edited.path, notes, ...(command !== undefined && { command }) }
}
