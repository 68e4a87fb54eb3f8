import { DIFF_SHAPE, EVENT_SHAPE, MARK_SHAPE } from './answer-shapes.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { eventRow } from './event-row.ts'
import { eventsOf, exceptionAsDiff, exceptionOf } from './request-events.ts'

/** One request: why it was refused, and what would let it pass. */
export const requestRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/requests/{id}',
    role: 'viewer',
    summary:
      'Why: every guard that was asked, with its time, the matched part, and the change that would let it pass.',
    answer:
      '`request`, `guards`, `reasons`, `events` (everything recorded about it), `entries` of the audit log, `falsePositive` where somebody marked it.',
    shape: {
      request: EVENT_SHAPE,
      erased: 'boolean',
      guard: 'string?',
      guards: [{ guard: 'string', ms: 'number' }],
      reasons: [
        {
          rule: 'string',
          message: 'string',
          'evidence?': { location: 'string', span: 'string?', facts: 'map?' },
          'exception?': { lines: ['string'], isChange: 'boolean' },
        },
      ],
      others: [EVENT_SHAPE],
      entries: ['integer'],
      'falsePositive?': MARK_SHAPE,
    },
    handle: why,
  },
  {
    method: 'GET',
    path: '/requests/{id}/exception',
    role: 'operator',
    summary: 'The file of the configuration with the exception in it, as a diff; nothing is written.',
    answer: '`lines` that say it; `path` and `diff`, both absent where the file is a program.',
    shape: { lines: ['string'], path: 'string?', 'diff?': [DIFF_SHAPE] },
    handle: async call => exceptionAsDiff(call, exceptionOf(await eventsOf(call))),
  },
  {
    method: 'POST',
    path: '/requests/{id}/exception',
    role: 'operator',
    summary:
      'Writes the exception into the configuration and puts it into force, as `postern explain --apply` does.',
    answer: '`path` that was written, `notes` for the operator, `command` to run as well.',
    shape: { path: 'string', notes: ['string'], command: 'string?' },
    handle: apply,
  },
]

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
    ...(await markOf(call)),
  }
}

/** Whether somebody marked it as a false positive. */
async function markOf({ parts, path }: ApiCall): Promise<object> {
  const mark = (await parts.traffic.marks()).find(({ request }) => request === path['id'])
  return mark === undefined ? {} : { falsePositive: mark }
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
