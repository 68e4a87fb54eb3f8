import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { count, dateTime } from '../lib/format.ts'
import { encoded } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Empty, Loaded } from '../parts/states.tsx'

interface Change {
  readonly id: string
  readonly at: string
  readonly actor: string
  readonly tenant: string
  readonly tables: readonly {
    readonly table: string
    readonly action: 'delete' | 'update'
    readonly rows: number
    readonly undone: number
  }[]
}

interface Report {
  readonly isApplied: boolean
  readonly restored: readonly {
    readonly table: string
    readonly action: 'delete' | 'update'
    readonly rows: number
  }[]
  readonly conflicts: readonly { readonly table: string; readonly key: string; readonly why: string }[]
  readonly conflictCount: number
}

const EVERY_MS = 10_000
const DONE = { delete: 'deleted', update: 'edited' } as const

/** Rows that were deleted or edited, and can be put back. */
export function UndoScreen(): ReactNode {
  const asked = useAsked<{ readonly kept: boolean; readonly changes: readonly Change[] }>('/undo', EVERY_MS)
  return (
    <div className="stack">
      <h1>Undo</h1>
      <Loaded asked={asked}>
        {({ kept, changes }) =>
          changes.length === 0 ? (
            <Empty title={kept ? 'No recent changes' : 'No old rows are kept'}>
              <span>
                {kept
                  ? 'Deletes and edits that row budgets count appear here.'
                  : 'Row budgets keep them: set budgetDatabase and budgets in the configuration.'}
              </span>
            </Empty>
          ) : (
            <ul className="stack">
              {changes.map(change => (
                <li key={change.id} className="card">
                  <ChangeCard change={change} onDone={asked.again} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  )
}

function ChangeCard({ change, onDone }: { readonly change: Change; readonly onDone: () => void }): ReactNode {
  const may = useMay('operator')
  const [report, setReport] = useState<Report | string>()
  const isOver = change.tables.every(({ rows, undone }) => undone >= rows)
  const attempt = async (method: 'GET' | 'POST', conflicts: 'stop' | 'skip'): Promise<void> => {
    setReport(
      await ask<Report>(`/undo/${encoded(change.id)}`, { method, body: { conflicts } }).catch(
        (error: unknown) => (error instanceof ApiError ? error.message : 'Something went wrong.'),
      ),
    )
    if (method === 'POST') onDone()
  }
  return (
    <div className="stack">
      <div className="row spread">
        <h2>
          <span className="mono">{change.actor}</span>{' '}
          {change.tables
            .map(({ table, action, rows }) => `${DONE[action]} ${count(rows)} of ${table}`)
            .join(', ')}
        </h2>
        <time className="muted small">{dateTime(Date.parse(change.at))}</time>
      </div>
      {typeof report === 'string' && (
        <p className="notice bad" role="alert">
          {report}
        </p>
      )}
      {typeof report === 'object' && <Outcome report={report} />}
      {isOver && <p className="small muted">All of it was put back.</p>}
      {may && !isOver && (
        <div className="row">
          {typeof report === 'object' && !report.isApplied ? (
            <>
              <button
                type="button"
                className="button primary"
                onClick={() => void attempt('POST', report.conflictCount > 0 ? 'skip' : 'stop')}
              >
                {report.conflictCount > 0 ? 'Put back what fits' : 'Put it back'}
              </button>
              <button type="button" className="button" onClick={() => setReport(undefined)}>
                Cancel
              </button>
            </>
          ) : (
            <button type="button" className="button" onClick={() => void attempt('GET', 'stop')}>
              Undo…
            </button>
          )}
        </div>
      )}
    </div>
  )
}

function Outcome({ report }: { readonly report: Report }): ReactNode {
  const { isApplied, restored, conflicts, conflictCount } = report
  return (
    <div className="notice" role="status">
      {restored.map(({ table, action, rows }) => (
        <p key={`${table} ${action}`}>
          {isApplied ? 'Put back' : 'Would put back'} {count(rows)} rows of <code>{table}</code> that were{' '}
          {DONE[action]}
        </p>
      ))}
      {conflicts.slice(0, 5).map(({ table, key, why }) => (
        <p key={`${table} ${key}`}>
          <span className="badge deny">does not fit</span> <code>{table}</code> {key}: {why}
        </p>
      ))}
      {conflictCount > 5 && <p>and {count(conflictCount - 5)} more that do not fit</p>}
    </div>
  )
}
