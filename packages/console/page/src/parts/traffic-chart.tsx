import { type ReactNode, useState } from 'react'
import { count, hourMinute } from '../lib/format.ts'
import type { Point, Verdict } from '../lib/types.ts'
import { verdictWord } from './verdict-badge.tsx'

const WIDTH = 720
const HEIGHT = 160
const FOOT = 18
const STACK: readonly Verdict[] = ['allow', 'observed', 'challenge', 'throttle', 'deny']

function sumOf({ counts }: Point): number {
  return STACK.reduce((sum, verdict) => sum + counts[verdict], 0)
}

/** The next round number: 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 5, 10].map(factor => factor * power).find(bound => bound >= value) ?? value
}

/** Requests by verdict over time, stacked; the numbers of the bar under the pointer stand above. */
export function TrafficChart({ series }: { readonly series: readonly Point[] }): ReactNode {
  const [at, setAt] = useState<number>()
  const top = roundUp(Math.max(1, ...series.map(sumOf)))
  const step = WIDTH / Math.max(1, series.length)
  const scale = (HEIGHT - FOOT) / top
  const shown = at === undefined ? undefined : series[at]
  const seen = STACK.filter(verdict => series.some(({ counts }) => counts[verdict] > 0))
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
        <span className="muted when">
          {shown === undefined ? `up to ${count(top)} a bar` : hourMinute(shown.time)}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Requests by decision: ${STACK.map(verdict => `${count(series.reduce((sum, point) => sum + point.counts[verdict], 0))} ${verdictWord(verdict)}`).join(', ')}`}
        preserveAspectRatio="none"
        onPointerMove={event => {
          const { left, width } = event.currentTarget.getBoundingClientRect()
          setAt(Math.min(series.length - 1, Math.floor(((event.clientX - left) / width) * series.length)))
        }}
        onPointerLeave={() => setAt(undefined)}
      >
        {[0, 0.5, 1].map(part => (
          <line
            key={part}
            className="grid"
            x1="0"
            x2={WIDTH}
            y1={(HEIGHT - FOOT) * part}
            y2={(HEIGHT - FOOT) * part}
          />
        ))}
        {series.map((point, i) => {
          let y = HEIGHT - FOOT
          return (
            <g key={point.time} className={i === at ? 'bar at' : 'bar'}>
              {STACK.map(verdict => {
                const value = point.counts[verdict]
                if (value === 0) return null
                // What was refused must be seen beside a thousand times as much that was not.
                const height = Math.max(value * scale, verdict === 'allow' ? 1 : 2.5)
                y -= height
                return (
                  <rect
                    key={verdict}
                    className={verdict}
                    x={i * step + step * 0.1}
                    width={step * 0.8}
                    y={y}
                    height={height}
                  />
                )
              })}
            </g>
          )
        })}
      </svg>
      <div className="axis small muted" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map(part => {
          const point = series[Math.round((series.length - 1) * part)]
          return <span key={part}>{point === undefined ? '' : hourMinute(point.time)}</span>
        })}
      </div>
    </figure>
  )
}

/** Milliseconds of the layer over time, as a line. */
export function LatencyChart({ series }: { readonly series: readonly Point[] }): ReactNode {
  const used = series.filter(point => sumOf(point) > 0)
  const top = Math.max(0.1, ...used.map(({ layer }) => layer))
  const points = series
    .map((point, i) => ({ point, x: (i / Math.max(1, series.length - 1)) * 240 }))
    .filter(({ point }) => sumOf(point) > 0)
    .map(({ point, x }) => `${x.toFixed(1)},${(46 - (point.layer / top) * 42).toFixed(1)}`)
  if (points.length < 3) return null
  return (
    <svg
      className="spark"
      viewBox="0 0 240 48"
      role="img"
      aria-label={`Up to ${top.toFixed(2)} milliseconds`}
      preserveAspectRatio="none"
    >
      <polyline points={points.join(' ')} />
    </svg>
  )
}
