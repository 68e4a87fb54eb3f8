import type { ReactNode } from 'react'
import { dateTime, span, standing } from '../lib/format.ts'
import { encoded, to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { Ban, EventRow, LimitStanding } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { EventList } from '../parts/event-list.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { FindingList } from './findings.tsx'

interface Actor {
  readonly now: number
  readonly events: readonly EventRow[]
  readonly findings: readonly EventRow[]
  readonly limits: readonly LimitStanding[]
  readonly bans: readonly Ban[]
}

const EVERY_MS = 5_000

/** One address or principal: what it did, and where it stands. */
export function ActorScreen({ kind, value }: { readonly kind: string; readonly value: string }): ReactNode {
  const asked = useAsked<Actor>(`/actor?kind=${encoded(kind)}&value=${encoded(value)}`, EVERY_MS)
  const may = useMay('operator')
  const actor = kind === 'address' ? value : `${kind}:${value}`
  return (
    <div className="stack">
      <div className="row spread">
        <h1>
          <span className="muted">{kind}</span> <span className="mono wrap">{value}</span>
        </h1>
        {may && (
          <a className="button small danger" href={to('bans', actor)}>
            Ban…
          </a>
        )}
      </div>
      <Loaded asked={asked}>{loaded => <Contents {...loaded} />}</Loaded>
    </div>
  )
}

function Contents({ now, events, findings, limits, bans }: Actor): ReactNode {
  const refused = events.filter(({ type, verdict }) => type === 'http' && verdict !== 'allow').length
  const newest = events[0]
  return (
    <>
      {bans.map(({ id, measure, reason, expiresAt }) => (
        <p key={id} className="notice bad">
          <b>{measure}</b> for another {span(expiresAt - now)}: {reason}
        </p>
      ))}
      <div className="halves">
        <section className="card">
          <h2>Limits</h2>
          {limits.length === 0 && <p className="muted small">No limit counts this actor.</p>}
          <ul className="stack">
            {limits.map(one => (
              <li key={one.name} className="limit">
                <div className="row spread small">
                  <b className="mono">{one.name}</b>
                  <span>{standing(one)}</span>
                </div>
                <span className="track">
                  <span
                    className={one.remaining < 1 ? 'deny' : ''}
                    style={{ width: `${Math.max(0, Math.min(1, one.remaining / one.limit)) * 100}%` }}
                  />
                </span>
              </li>
            ))}
          </ul>
        </section>
        <section className="card">
          <h2>Seen</h2>
          <dl className="facts">
            <div>
              <dt>Kept events</dt>
              <dd>{events.length === 200 ? 'the newest 200' : events.length}</dd>
            </div>
            <div>
              <dt>Refused</dt>
              <dd>{refused}</dd>
            </div>
            {newest !== undefined && (
              <div>
                <dt>Last</dt>
                <dd>{dateTime(newest.time)}</dd>
              </div>
            )}
            {newest?.agent !== undefined && (
              <div>
                <dt>Agent</dt>
                <dd className="wrap">{newest.agent}</dd>
              </div>
            )}
          </dl>
        </section>
      </div>
      {findings.length > 0 && <FindingList rows={findings} />}
      {events.length === 0 ? (
        <Empty title="No events of this actor are kept">
          <span>Refused requests are all kept; of allowed ones, a sample.</span>
        </Empty>
      ) : (
        <section className="card">
          <h2>Timeline</h2>
          <div className="tall-list">
            <EventList rows={events} label="Events of this actor, newest first" />
          </div>
        </section>
      )}
    </>
  )
}
