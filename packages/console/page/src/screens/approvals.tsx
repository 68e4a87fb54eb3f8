import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { dateTime, span } from '../lib/format.ts'
import { useMay } from '../lib/session.ts'
import type { Approval } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'

interface Approvals {
  readonly kept: boolean
  readonly now: number
  /** What people are called, by `user:ID`. */
  readonly names: Readonly<Record<string, string>>
  readonly approvals: readonly Approval[]
}

const EVERY_MS = 5_000
const STATES = [
  ['pending', 'Pending'],
  ['approved', 'Approved'],
  ['denied', 'Denied'],
  ['used', 'Used'],
  ['expired', 'Expired'],
] as const

/** Requests for a second person's consent. */
export function ApprovalsScreen(): ReactNode {
  const [state, setState] = useState<(typeof STATES)[number][0]>('pending')
  const asked = useAsked<Approvals>(`/approvals?state=${state}`, EVERY_MS)
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Approvals</h1>
        <Segments label="State" values={STATES} value={state} onChange={setState} />
      </div>
      <Loaded asked={asked}>
        {({ kept, approvals, now, names }) =>
          approvals.length === 0 ? (
            <Empty
              title={state === 'pending' ? 'Nothing is waiting for a decision' : `No request is ${state}`}
            >
              <span>
                {kept
                  ? 'A route asks for approval with “approve” in the configuration.'
                  : 'This gateway keeps no approvals.'}
              </span>
            </Empty>
          ) : (
            <ul className="stack">
              {approvals.map(approval => (
                <li key={approval.id} className="card">
                  <ApprovalCard approval={approval} now={now} names={names} onDone={asked.again} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  )
}

function ApprovalCard({
  approval,
  now,
  names,
  onDone,
}: {
  readonly approval: Approval
  readonly now: number
  readonly names: Approvals['names']
  readonly onDone: () => void
}): ReactNode {
  const may = useMay('approver')
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<string>()
  const { act, preview, state } = approval
  const given = JSON.stringify(act.arguments, undefined, 2)
  const decide = async (verb: 'approve' | 'deny'): Promise<void> => {
    setProblem(undefined)
    await ask(`/approvals/${approval.id}/${verb}`, { method: 'POST', body: { note } }).catch(
      (error: unknown) => setProblem(error instanceof ApiError ? error.message : 'Something went wrong.'),
    )
    onDone()
  }
  return (
    <div className="stack">
      <div className="row spread">
        <h2 className="mono wrap">{`${act.action} ${act.resource}`}</h2>
        <span className="muted small">
          {state === 'pending'
            ? `${span(approval.expiresAt - now)} left`
            : `${state} ${approval.decidedAt === undefined ? '' : dateTime(approval.decidedAt)}`}
        </span>
      </div>
      <dl className="facts">
        <div>
          <dt>Requested by</dt>
          <dd className="mono wrap">
            <People actors={approval.behind} names={names} />
          </dd>
        </div>
        <div>
          <dt>Approvers</dt>
          <dd className="mono wrap">
            <People actors={approval.by} names={names} />
          </dd>
        </div>
        {approval.reason !== '' && (
          <div>
            <dt>Why</dt>
            <dd className="wrap">{approval.reason}</dd>
          </div>
        )}
        {preview.summary !== undefined && (
          <div>
            <dt>Effect</dt>
            <dd className="wrap">{preview.summary}</dd>
          </div>
        )}
        {Object.entries(preview.rows ?? {}).map(([table, rows]) => (
          <div key={table}>
            <dt>Rows of {table}</dt>
            <dd>{rows}</dd>
          </div>
        ))}
        {approval.decidedBy !== undefined && (
          <div>
            <dt>Decided by</dt>
            <dd className="wrap">{`${approval.decidedBy} ${approval.note}`}</dd>
          </div>
        )}
      </dl>
      {!['null', '{}'].includes(given) && <pre className="command wrap">{given}</pre>}
      {preview.body !== undefined && <pre className="command wrap">{preview.body}</pre>}
      {problem !== undefined && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {(state === 'pending' || state === 'approved') && may && (
        <div className="row">
          <input
            className="input"
            aria-label="Note for the requester"
            placeholder="Note (optional)"
            value={note}
            onChange={event => setNote(event.target.value)}
          />
          {state === 'pending' && (
            <button type="button" className="button primary" onClick={() => void decide('approve')}>
              Approve
            </button>
          )}
          <button type="button" className="button danger" onClick={() => void decide('deny')}>
            Deny
          </button>
        </div>
      )}
    </div>
  )
}

/** Whom people know, and below it the id that the log has. */
function People({
  actors,
  names,
}: {
  readonly actors: readonly string[]
  readonly names: Approvals['names']
}): ReactNode {
  return actors.map(actor => (
    <div key={actor}>
      {names[actor] !== undefined && <div>{names[actor]}</div>}
      <div className={names[actor] === undefined ? undefined : 'muted small'}>{actor}</div>
    </div>
  ))
}
