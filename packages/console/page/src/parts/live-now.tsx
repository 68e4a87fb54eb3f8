import { type ReactNode, useMemo } from 'react'
import { ask } from '../lib/api.ts'
import { clockTime, count } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import type { EventRow } from '../lib/types.ts'
import { type LiveRate, useLiveRate } from '../lib/use-live-rate.ts'
import { whatOf } from './event-line.tsx'
import { TimeChart } from './time-chart.tsx'
import { VERDICTS, verdictColour } from './traffic-chart.tsx'
import { VerdictBadge } from './verdict-badge.tsx'

/** Seconds that the rate is the average of. */
const RECENT = 5

async function newestRefused(): Promise<readonly EventRow[]> {
  const { events } = await ask<{ readonly events: readonly EventRow[] }>(
    '/events?type=http&verdict=deny,throttle,challenge,observed&limit=5',
  )
  return events
}

/** What arrives at this moment: requests per second, and the newest that were refused. */
export function LiveNow(): ReactNode {
  const rate = useLiveRate(newestRefused)
  return (
    <section className="card now" aria-labelledby="now-title">
      <Rate {...rate} />
      <Refused {...rate} />
    </section>
  )
}

function Rate({ state, times, counts }: LiveRate): ReactNode {
  const recent = counts.slice(-RECENT)
  const all = recent.reduce((sum, own) => sum + VERDICTS.reduce((part, verdict) => part + own[verdict], 0), 0)
  const newest = times.at(-1) ?? 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: the seconds change together with the newest.
  const bars = useMemo(
    () => ({
      times,
      series: VERDICTS.map(verdict => ({
        colour: verdictColour(verdict),
        values: counts.map(own => own[verdict]),
        least: verdict === 'allow' ? 1 : 2.5,
      })),
    }),
    [newest],
  )
  const end = newest + 1_000
  const perSecond = all / RECENT
  const text = perSecond >= 10 || perSecond === 0 ? count(Math.round(perSecond)) : perSecond.toFixed(1)
  return (
    <div className="rate">
      <div className="row spread">
        <h2 id="now-title">Now</h2>
        <span className="muted small" role="status">
          {state === 'live' ? '' : state === 'lost' ? 'connection lost, trying again' : 'connecting'}
        </span>
      </div>
      <p>
        <strong>{text}</strong> <span className="muted">requests per second</span>
      </p>
      <TimeChart
        {...bars}
        height={104}
        timeText={time => (time === end ? 'now' : `${Math.round((time - end) / 1_000)} s`)}
        ticks={[60, 45, 30, 15, 0].map(seconds => end - seconds * 1_000)}
        label={`The last minute: ${text} requests per second now`}
      />
    </div>
  )
}

function Refused({ refused }: LiveRate): ReactNode {
  return (
    <div>
      <div className="row spread">
        <h2>Recently refused</h2>
        <a className="small" href={to('live')}>
          Watch live
        </a>
      </div>
      {refused.length === 0 && <p className="muted small">Nothing has been refused yet.</p>}
      <ol className="refused-list">
        {refused.map(row => (
          <li key={row.request ?? row.time}>
            <a href={to('why', row.request ?? '')} title={whatOf(row)}>
              <time className="mono muted">{clockTime(row.time).slice(0, 8)}</time>
              <VerdictBadge verdict={row.verdict} />
              <span className="mono cut">{whatOf(row)}</span>
            </a>
          </li>
        ))}
      </ol>
    </div>
  )
}
