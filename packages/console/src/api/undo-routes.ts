import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { ApiShape } from './api-shape.ts'
import { bodyText } from './call-values.ts'
import type { UndoDesk } from './console-parts.ts'

const REPORT: ApiShape = {
  change: 'string',
  isApplied: 'boolean',
  restored: [{ table: 'string', action: 'delete|update', rows: 'integer' }],
  conflicts: [{ table: 'string', key: 'string', why: 'string' }],
  conflictCount: 'integer',
}

/** Changes of the application's rows that row budgets keep: what `postern undo` does. */
export const undoRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/undo',
    role: 'viewer',
    summary: 'Changes that can be put back, newest first, 50 at most.',
    answer: '`changes`; `kept` is false where the configuration has no `budgetDatabase`.',
    shape: {
      kept: 'boolean',
      changes: [
        {
          id: 'string',
          at: 'string',
          actor: 'string',
          tenant: 'string',
          tables: [{ table: 'string', action: 'delete|update', rows: 'integer', undone: 'integer' }],
        },
      ],
    },
    handle: async ({ parts }) =>
      parts.undo === undefined
        ? { kept: false, changes: [] }
        : { kept: true, changes: await parts.undo.list() },
  },
  {
    method: 'GET',
    path: '/undo/{change}',
    role: 'operator',
    summary: 'What putting a change back would do: it is done and rolled back.',
    answer: '`restored` rows by table, and `conflicts`, the first hundred.',
    shape: REPORT,
    handle: call => deskOf(call).show(changeOf(call)),
  },
  {
    method: 'POST',
    path: '/undo/{change}',
    role: 'operator',
    summary: 'Puts a change back.',
    body: {
      conflicts: {
        type: 'string',
        values: ['stop', 'skip'],
        description: 'When rows do not fit: write nothing, or all others. Default: stop.',
      },
    },
    answer: 'As the preview, with `isApplied`.',
    shape: REPORT,
    handle: apply,
  },
]

function deskOf({ parts }: ApiCall): UndoDesk {
  if (parts.undo !== undefined) return parts.undo
  throw new ApiProblem(404, 'the configuration has no budgetDatabase, so no old rows are kept')
}

function changeOf({ path }: ApiCall): string {
  const { change = '' } = path
  if (/^[\w-]{1,64}$/.test(change)) return change
  throw new ApiProblem(404, 'that is not the id of a change')
}

async function apply(call: ApiCall): Promise<unknown> {
  const conflicts = bodyText(call, 'conflicts', 'stop')
  if (conflicts !== 'stop' && conflicts !== 'skip')
    throw new ApiProblem(400, 'conflicts: must be stop or skip')
  const desk = deskOf(call)
  const id = changeOf(call)
  await call.parts.record(
    { action: 'undo.apply', resource: { type: 'change', id }, data: { conflicts } },
    call.session.name,
  )
  return desk.apply(id, conflicts)
}
