import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { count } from '../lib/format.ts'
import { resolvedColour } from '../lib/resolved-colour.ts'
import { useTheme } from '../lib/use-theme.ts'

/** One of the values of a chart. */
export interface ChartSeries {
  /** Design token of its colour: `--deny`. */
  readonly colour: string
  /** A value for each time. */
  readonly values: readonly number[]
  /** Height in pixels of the smallest value: a few refusals are seen above a thousand allowed requests. */
  readonly least?: number
}

export interface TimeChartProps {
  /** What is seen, in a sentence, for whoever cannot see it. */
  readonly label: string
  /** Epoch milliseconds, ascending, at equal distances. */
  readonly times: readonly number[]
  /** Bars that stand on each other, from the foot up. */
  readonly series: readonly ChartSeries[]
  /** Epoch milliseconds that are named below the chart. Default: round ones. */
  readonly ticks?: readonly number[]
  /** Pixels. */
  readonly height: number
  readonly timeText: (time: number) => string
  readonly valueText?: (value: number) => string
  /** Called with the index under the pointer. */
  readonly onPoint?: (index: number | undefined) => void
}

const AXIS = 24
const MIN_WIDTH = 80

/** Values over time as bars on a canvas: one element of the page, however many bars it has. */
export function TimeChart(props: TimeChartProps): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  latest.current = props
  const theme = useTheme()
  const { label, height, times, series } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours.
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(optionsOf(element, latest), dataOf(latest.current), element)
    plot.current = made
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(MIN_WIDTH, element.clientWidth), height: latest.current.height }),
    )
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [theme])
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again when there is something else to draw.
  useLayoutEffect(() => plot.current?.setData(dataOf(latest.current)), [times, series])
  return <div ref={box} className="plot" role="img" aria-label={label} style={{ height }} />
}

/** What uPlot scales by: of bars their sum. */
function dataOf({ times, series }: TimeChartProps): uPlot.AlignedData {
  const sums = times.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0))
  return [times.map(time => time / 1_000), sums]
}

function optionsOf(element: HTMLElement, latest: { readonly current: TimeChartProps }): uPlot.Options {
  const { height, series } = latest.current
  const colour = (token: string): string => resolvedColour(element, token)
  const font = `11px ${getComputedStyle(element).fontFamily}`
  const line = colour('--line')
  const colours = new Map(series.map(own => [own.colour, colour(own.colour)]))
  const axis = { stroke: colour('--ink-2'), font, ticks: { show: false } }
  return {
    width: Math.max(MIN_WIDTH, element.clientWidth),
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_, least, most) => [least, most + stepOf(latest.current.times) / 1_000] },
      y: { range: (_, _least, most) => [0, roundUp(most)] },
    },
    axes: [
      {
        ...axis,
        size: AXIS,
        gap: 6,
        space: 70,
        ...(latest.current.ticks !== undefined && {
          splits: () => (latest.current.ticks ?? []).map(time => time / 1_000),
        }),
        grid: { show: false },
        values: (_, splits) => splits.map(time => latest.current.timeText(time * 1_000)),
      },
      {
        ...axis,
        size: 54,
        gap: 6,
        space: 36,
        grid: { stroke: line, width: 1 },
        values: (_, splits) => splits.map(value => (latest.current.valueText ?? wholeText)(value)),
      },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      draw: [plot => drawBars(plot, latest.current, token => colours.get(token) ?? line)],
      setCursor: [({ cursor: { idx } }) => latest.current.onPoint?.(idx ?? undefined)],
    },
  }
}

/** Half a request is no value of a chart. */
function wholeText(value: number): string {
  return Number.isInteger(value) ? count(value) : ''
}

function stepOf(times: readonly number[]): number {
  return times.length < 2 ? 60_000 : (times[1] ?? 0) - (times[0] ?? 0)
}

/** The next round number: 1, 2 or 5 times a power of ten. */
function roundUp(value: number | null): number {
  if (value === null || !(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map(factor => factor * power).find(bound => bound >= value) ?? value
}

function drawBars(plot: uPlot, { times, series }: TimeChartProps, colour: (token: string) => string): void {
  const { ctx, bbox } = plot
  const width = Math.max(1, (bbox.width / Math.max(1, times.length)) * 0.8)
  const foot = bbox.top + bbox.height
  ctx.save()
  for (let i = 0; i < times.length; i++) {
    const left = plot.valToPos((times[i] ?? 0) / 1_000, 'x', true) + width * 0.125
    let top = foot
    for (const { values, colour: token, least = 1 } of series) {
      const value = values[i] ?? 0
      if (value === 0) continue
      const own = Math.max(foot - plot.valToPos(value, 'y', true), least * devicePixelRatio)
      top -= own
      ctx.fillStyle = colour(token)
      ctx.fillRect(left, top, width, own)
    }
  }
  ctx.restore()
}
