import { type ReactNode, useMemo, useState } from 'react'
import { count, dateTime, hourMinute, milliseconds } from '../lib/format.ts'
import type { Point, Verdict } from '../lib/types.ts'
import { TimeChart } from './time-chart.tsx'
import { verdictWord } from './verdict-badge.tsx'

/** From the foot of a bar to its top. */
export const VERDICTS: readonly Verdict[] = ['allow', 'observed', 'challenge', 'throttle', 'deny']

const DAY = 86_400_000

/** Colour of a verdict in charts: most requests are allowed, and theirs is the calm one. */
export function verdictColour(verdict: Verdict): string {
  return verdict === 'allow' ? '--chart-allow' : `--${verdict}`
}

function sumOf({ counts }: Point): number {
  return VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0)
}

function timeTextOf(series: readonly Point[]): (time: number) => string {
  const length = (series.at(-1)?.time ?? 0) - (series[0]?.time ?? 0)
  return length > DAY ? time => dateTime(time).split(',')[0] ?? '' : hourMinute
}

/** Requests by verdict over time, stacked; the numbers of the bar under the pointer stand above. */
export function TrafficChart({ series }: { readonly series: readonly Point[] }): ReactNode {
  const [at, setAt] = useState<number>()
  const shown = at === undefined ? undefined : series[at]
  const seen = VERDICTS.filter(verdict => series.some(({ counts }) => counts[verdict] > 0))
  const bars = useMemo(
    () => ({
      times: series.map(({ time }) => time),
      series: VERDICTS.map(verdict => ({
        colour: verdictColour(verdict),
        values: series.map(({ counts }) => counts[verdict]),
        least: verdict === 'allow' ? 1 : 2.5,
      })),
    }),
    [series],
  )
  return (
    <figure className="chart">
      <figcaption className="row small">
        {(seen.length === 0 ? (['allow'] as const) : seen).map(verdict => (
          <span key={verdict} className="row legend">
            <span className={`dot ${verdict}`} />
            {verdictWord(verdict)}
            {shown !== undefined && <b className="number">{count(shown.counts[verdict])}</b>}
          </span>
        ))}
        <span className="muted when">{shown === undefined ? '' : dateTime(shown.time)}</span>
      </figcaption>
      <TimeChart
        {...bars}
        height={190}
        timeText={timeTextOf(series)}
        onPoint={setAt}
        label={`Requests by decision: ${VERDICTS.map(verdict => `${count(series.reduce((sum, point) => sum + point.counts[verdict], 0))} ${verdictWord(verdict)}`).join(', ')}`}
      />
    </figure>
  )
}

/** Milliseconds of the layer over time, as bars. */
export function LatencyChart({ series }: { readonly series: readonly Point[] }): ReactNode {
  const [at, setAt] = useState<number>()
  const shown = at === undefined ? undefined : series[at]
  const bars = useMemo(
    () => ({
      times: series.map(({ time }) => time),
      series: [{ colour: '--accent', values: series.map(({ layer }) => layer) }],
    }),
    [series],
  )
  const most = Math.max(0, ...series.map(({ layer }) => layer))
  return (
    <figure className="chart">
      <figcaption className="row small muted">
        {shown === undefined
          ? 'average, without the backend'
          : `${dateTime(shown.time)}: ${sumOf(shown) > 0 ? milliseconds(shown.layer) : 'no request'}`}
      </figcaption>
      <TimeChart
        {...bars}
        height={190}
        timeText={timeTextOf(series)}
        valueText={value => `${value} ms`}
        onPoint={setAt}
        label={`Time in Postern: up to ${milliseconds(most)} on average`}
      />
    </figure>
  )
}
