import { type ReactNode, useEffect, useState } from 'react'
import { dateTime, milliseconds } from '../lib/format.ts'
import { encoded, to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { EventRow, Verdict, Why } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { DecodedRequest } from '../parts/decoded-request.tsx'
import { whatOf } from '../parts/event-line.tsx'
import { EventList } from '../parts/event-list.tsx'
import { ExceptionPanel } from '../parts/exception-panel.tsx'
import { Fact } from '../parts/facts.tsx'
import { FalsePositive } from '../parts/false-positive.tsx'
import { GuardTimes } from '../parts/guard-times.tsx'
import { Loaded } from '../parts/states.tsx'
import { VerdictBadge } from '../parts/verdict-badge.tsx'

const UNTIL_LOGGED_MS = 1_500

/** Why one request was answered as it was. */
export function WhyScreen({ id }: { readonly id: string }): ReactNode {
  const [isLogged, setLogged] = useState(false)
  const asked = useAsked<Why>(`/requests/${encoded(id)}`, isLogged ? undefined : UNTIL_LOGGED_MS)
  const why = asked.value
  // A refusal is in the log within a second; an allowed request may never be.
  const isComplete = why !== undefined && (why.request.verdict === 'allow' || why.entries.length > 0)
  useEffect(() => {
    if (isComplete) setLogged(true)
  }, [isComplete])
  return (
    <div className="stack">
      <div className="row spread">
        <h1>
          Request <span className="mono">{id}</span>
        </h1>
        <button type="button" className="button small quiet" onClick={() => history.back()}>
          Back
        </button>
      </div>
      <Loaded asked={asked}>{loaded => <Contents id={id} why={loaded} />}</Loaded>
    </div>
  )
}

function Contents({ id, why }: { readonly id: string; readonly why: Why }): ReactNode {
  const { request, reasons, guards, guard, others, entries, erased } = why
  return (
    <>
      <section className="card verdict">
        <div className="row">
          <VerdictBadge verdict={request.verdict} />
          <span className="mono">{request.status ?? ''}</span>
          <strong className="mono wrap">{whatOf(request)}</strong>
        </div>
        <p>{sentence(request, reasons[0]?.message, guard)}</p>
        <Facts request={request} entries={entries} />
        {erased && (
          <p className="notice">The content of this request was erased together with the sender’s key.</p>
        )}
      </section>
      <div className="halves">
        <div className="stack">
          <section className="card">
            <h2>{reasons.length === 0 ? 'The request, decoded' : 'What matched, decoded'}</h2>
            <DecodedRequest request={request} reasons={reasons} />
          </section>
          {reasons.length > 0 && (
            <section className="card">
              <h2>{reasons.length === 1 ? 'Rule' : 'Rules'}</h2>
              <ul className="stack">
                {reasons.map(({ rule, message, evidence }) => (
                  <li key={`${rule} ${evidence?.location ?? ''}`}>
                    <div className="row">
                      <b className="mono">{rule}</b>
                      {evidence !== undefined && <span className="badge mono">{evidence.location}</span>}
                    </div>
                    <p className="small">{message}</p>
                    <p className="muted small mono wrap">
                      {Object.entries(evidence?.facts ?? {})
                        .map(([name, value]) => `${name} ${value}`)
                        .join(' · ')}
                    </p>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </div>
        <div className="stack">
          {reasons.length > 0 && (
            <section className="card">
              <h2>The narrowest exception</h2>
              <ExceptionPanel id={id} reasons={reasons} />
            </section>
          )}
          {reasons.length > 0 && <FalsePositive id={id} />}
          {guards.length > 0 && (
            <section className="card">
              <h2>Guards</h2>
              <GuardTimes guards={guards} refusing={guard} />
            </section>
          )}
        </div>
      </div>
      {others.length > 0 && (
        <section className="card">
          <h2>Related events</h2>
          <div className="short-list">
            <EventList rows={others} label="Other events of this request" />
          </div>
        </section>
      )}
    </>
  )
}

const SENTENCES: Readonly<Record<Verdict, string>> = {
  allow: 'It passed',
  observed: 'It passed, but would have been refused if the configuration enforced it',
  throttle: 'It was throttled',
  challenge: 'It was refused until the client solves a challenge',
  deny: 'It was refused',
}

function sentence({ verdict }: EventRow, message: string | undefined, guard: string | undefined): string {
  const by = guard === undefined ? '' : ` by the guard “${guard}”`
  return `${SENTENCES[verdict]}${by}.${message === undefined ? '' : ` The caller saw: “${message}”`}`
}

function Facts({
  request,
  entries,
}: {
  readonly request: EventRow
  readonly entries: readonly number[]
}): ReactNode {
  const may = useMay('operator')
  const { address, principal, time, duration, layer, route } = request
  const actor = principal === undefined ? address : `principal:${principal}`
  return (
    <dl className="facts">
      <Fact name="When">{dateTime(time)}</Fact>
      {principal !== undefined && (
        <Fact name="Who">
          <a className="mono" href={to('actor', 'principal', principal)}>
            {principal}
          </a>
        </Fact>
      )}
      {address !== undefined && (
        <Fact name="From">
          <a className="mono" href={to('actor', 'address', address)}>
            {address}
          </a>
        </Fact>
      )}
      {route !== undefined && (
        <Fact name="Route">
          <span className="mono">{route}</span>
        </Fact>
      )}
      {duration !== undefined && (
        <Fact name="Took">
          {milliseconds(Math.max(duration, layer ?? 0))}
          {layer !== undefined && `, ${milliseconds(layer)} of it in Postern`}
        </Fact>
      )}
      {entries.map(entry => (
        <Fact key={entry} name="Audit log">
          <a href={to('audit', entry)}>entry {entry}</a>
        </Fact>
      ))}
      {may && actor !== undefined && (
        <Fact name="Measure">
          <a href={to('bans', actor)}>ban {actor}</a>
        </Fact>
      )}
    </dl>
  )
}
