import { type ReactNode, useState } from 'react'
import { bytes, count, dateTime, milliseconds } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import type { Overview, Totals, Verdict } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { FirstMinute } from '../parts/first-minute.tsx'
import { LiveNow } from '../parts/live-now.tsx'
import { Segments } from '../parts/segments.tsx'
import { Loaded } from '../parts/states.tsx'
import { LatencyChart, TrafficChart } from '../parts/traffic-chart.tsx'

const SPANS = [
  ['60', 'Last hour'],
  ['360', '6 hours'],
  ['1440', '24 hours'],
  ['10080', '7 days'],
] as const
const EVERY_MS = 5_000
/** A gateway with fewer kept events was just started. */
const NEW = 1_000
const REFUSED: readonly Verdict[] = ['deny', 'throttle', 'challenge']

/** Is anything wrong now, and what was refused most. */
export function OverviewScreen(): ReactNode {
  const [minutes, setMinutes] = useState<(typeof SPANS)[number][0]>('60')
  const asked = useAsked<Overview>(`/overview?minutes=${minutes}`, EVERY_MS)
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Overview</h1>
        <Segments label="Span" values={SPANS} value={minutes} onChange={setMinutes} />
      </div>
      <LiveNow />
      <Loaded asked={asked}>{overview => <Contents {...overview} />}</Loaded>
    </div>
  )
}

function Contents({
  series,
  totals,
  before,
  rules,
  routes,
  actors,
  size,
  health,
  ...about
}: Overview): ReactNode {
  // It stays where it is while traffic arrives.
  const [isNew] = useState(size.events < NEW)
  const broken = health.filter(({ ok }) => !ok)
  return (
    <>
      {broken.map(({ name, detail }) => (
        <p key={name} className="notice bad" role="alert">
          <b>{name}</b>: {detail ?? 'is not well'}
        </p>
      ))}
      {isNew && <FirstMinute isNew />}
      <div className="figures">
        <Figure
          title="Requests"
          value={count(totals.requests)}
          change={changeOf(totals.requests, before.requests)}
        />
        <Figure
          title="Refused"
          value={count(refusedIn(totals))}
          change={changeOf(refusedIn(totals), refusedIn(before))}
        />
        {about.mode === 'observe' || totals.counts.observed > 0 ? (
          <Figure title="Would be refused" value={count(totals.counts.observed)} change="in observe mode" />
        ) : (
          <Figure
            title="Refusal rate"
            value={
              totals.requests === 0 ? '0 %' : `${((refusedIn(totals) / totals.requests) * 100).toFixed(1)} %`
            }
            change={`${count(totals.counts.throttle)} of them throttled`}
          />
        )}
        <Figure
          title="Time in Postern"
          value={milliseconds(totals.layer)}
          change={`on average, of ${milliseconds(totals.total)} in total`}
        />
      </div>
      <div className="charts">
        <section className="card" aria-labelledby="traffic-title">
          <h2 id="traffic-title">Traffic by decision</h2>
          <TrafficChart series={series} />
        </section>
        <section className="card" aria-labelledby="latency-title">
          <h2 id="latency-title">Time in Postern</h2>
          <LatencyChart series={series} />
        </section>
      </div>
      <div className="columns">
        <Top
          title="Rules that refuse most"
          rows={rules.map(({ key, requests, example }) => ({
            key,
            requests,
            href: example === undefined ? undefined : to('why', example),
          }))}
        />
        <Top
          title="Addresses"
          rows={actors.map(({ requests, last }) => ({
            key: last.address ?? 'erased',
            requests,
            href: last.address === undefined ? undefined : to('actor', 'address', last.address),
          }))}
        />
        <Top title="Routes" rows={routes.map(({ key, requests }) => ({ key, requests, href: undefined }))} />
      </div>
      {!isNew && <FirstMinute isNew={false} />}
      <p className="muted small">
        {about.gateway} in front of {about.upstream}. Kept: {count(size.events)} events, {bytes(size.bytes)}
        {size.oldest === undefined ? '' : `, since ${dateTime(size.oldest)}`}. Configuration:{' '}
        {about.configuration ?? 'none (defaults)'}.
      </p>
    </>
  )
}

function refusedIn({ counts }: Totals): number {
  return REFUSED.reduce((sum, verdict) => sum + counts[verdict], 0)
}

/** From this many times on, a percentage is hard to read. */
const MANY_TIMES = 10

/** Against the span of the same length before. */
function changeOf(now: number, before: number): string {
  if (before === 0) return now === 0 ? 'none before, either' : 'none in the period before'
  if (now >= MANY_TIMES * before) return `${Math.round(now / before)} times the period before`
  const percent = Math.round(((now - before) / before) * 100)
  return `${percent >= 0 ? '+' : '−'}${Math.abs(percent)} % from the period before`
}

function Figure({
  title,
  value,
  change,
}: {
  readonly title: string
  readonly value: string
  readonly change: string
}): ReactNode {
  return (
    <div className="card figure">
      <h2>{title}</h2>
      <strong>{value}</strong>
      <span className="muted small">{change}</span>
    </div>
  )
}

interface TopRow {
  readonly key: string
  readonly requests: number
  readonly href: string | undefined
}

function Top({ title, rows }: { readonly title: string; readonly rows: readonly TopRow[] }): ReactNode {
  const most = Math.max(1, ...rows.map(({ requests }) => requests))
  return (
    <section className="card top-list">
      <h2>{title}</h2>
      {rows.length === 0 && <p className="muted small">Nothing was refused in this span.</p>}
      <ol>
        {rows.map(({ key, requests, href }) => (
          <li key={key}>
            <span className="meter" style={{ width: `${(requests / most) * 100}%` }} />
            <span className="cut mono">{href === undefined ? key : <a href={href}>{key}</a>}</span>
            <span className="number">{count(requests)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
