import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { dateTime } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { EventRow } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { FalsePositiveList } from '../parts/false-positive-list.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'

interface Finding {
  readonly scenario?: string
  readonly title?: string
  readonly severity?: 'low' | 'medium' | 'high' | 'critical'
  readonly actorKind?: string
  readonly actorValue?: string
  readonly count?: number
  readonly requests?: readonly string[]
  readonly measure?: string
}

const EVERY_MS = 5_000
const SHOW = [
  ['findings', 'Findings'],
  ['false-positives', 'False positives'],
] as const
const SEVERITY = { low: '', medium: 'throttle', high: 'deny', critical: 'deny' } as const

/** What scenarios found, with the requests that led there. */
export function FindingsScreen(): ReactNode {
  const [show, setShow] = useState<(typeof SHOW)[number][0]>('findings')
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Findings</h1>
        <Segments label="Show" values={SHOW} value={show} onChange={setShow} />
      </div>
      {show === 'findings' ? <Findings /> : <FalsePositiveList />}
    </div>
  )
}

function Findings(): ReactNode {
  const asked = useAsked<{ readonly events: readonly EventRow[] }>('/events?type=finding', EVERY_MS)
  return (
    <>
      <Loaded asked={asked}>
        {({ events }) =>
          events.length === 0 ? (
            <Empty title="Nothing was found">
              <span>Scenarios watch events over time: guessing, scanning, walking through ids.</span>
            </Empty>
          ) : (
            <FindingList rows={events} />
          )
        }
      </Loaded>
      <TestAlert />
    </>
  )
}

/** Tries the services that findings are announced in. */
function TestAlert(): ReactNode {
  const may = useMay('operator')
  const [outcome, setOutcome] = useState('')
  const send = async (): Promise<void> => {
    setOutcome('Sending…')
    try {
      const { problems } = await ask<{ readonly problems: readonly string[] }>('/alerts/test', {
        method: 'POST',
      })
      setOutcome(problems.length === 0 ? 'Sent to every destination' : problems.join('; '))
    } catch (error) {
      setOutcome(error instanceof ApiError ? error.message : 'Something went wrong.')
    }
  }
  if (!may) return null
  return (
    <div className="row">
      <span className="muted small" role="status">
        {outcome}
      </span>
      <button type="button" className="button small" onClick={() => void send()}>
        Send a test alert
      </button>
    </div>
  )
}

/** Findings as cards, newest first. */
export function FindingList({ rows }: { readonly rows: readonly EventRow[] }): ReactNode {
  return (
    <ul className="stack">
      {rows.map(row => (
        <li key={row.id} className="card finding">
          <FindingCard row={row} />
        </li>
      ))}
    </ul>
  )
}

function FindingCard({ row }: { readonly row: EventRow }): ReactNode {
  const finding = (row.data ?? {}) as Finding
  const { actorKind = '', actorValue = '', severity = 'low', requests = [] } = finding
  const hasActor = (actorKind === 'address' || actorKind === 'principal') && actorValue !== ''
  return (
    <>
      <div className="row spread">
        <div className="row">
          <span className={`badge ${SEVERITY[severity]}`}>{severity}</span>
          <h2>{finding.title ?? finding.scenario}</h2>
          {finding.measure !== undefined && <span className="badge deny">{finding.measure}</span>}
        </div>
        <time className="muted small">{dateTime(row.time)}</time>
      </div>
      <p className="small">
        {finding.count ?? 0} events of{' '}
        {hasActor ? (
          <a className="mono" href={to('actor', actorKind, actorValue)}>
            {actorValue}
          </a>
        ) : (
          <span className="mono">{actorValue}</span>
        )}{' '}
        <span className="muted">
          by <span className="mono">{finding.scenario}</span>
        </span>
      </p>
      {requests.length > 0 && (
        <p className="small muted">
          Caused by:{' '}
          {requests.map((id, i) => (
            <span key={id}>
              {i > 0 && ', '}
              <a className="mono" href={to('why', id)}>
                {id.slice(-6)}
              </a>
            </span>
          ))}
        </p>
      )}
    </>
  )
}
