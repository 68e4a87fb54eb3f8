import type { MetricCounts, Reading } from './metrics.ts'
import { nanoseconds, type OtlpAttribute, otlpAttributes } from './otlp-json.ts'

const CUMULATIVE = 2

interface Point {
  readonly attributes: readonly OtlpAttribute[]
  readonly startTimeUnixNano?: string
  readonly timeUnixNano: string
  readonly asDouble: number
}

/** A metric in OTLP's JSON (`metrics/v1`). */
export type OtlpMetric = { readonly name: string; readonly unit: string } & (
  | { readonly gauge: { readonly dataPoints: readonly Point[] } }
  | {
      readonly sum: {
        readonly aggregationTemporality: number
        readonly isMonotonic: boolean
        readonly dataPoints: readonly Point[]
      }
    }
  | {
      readonly histogram: {
        readonly aggregationTemporality: number
        readonly dataPoints: readonly (Omit<Point, 'asDouble'> & {
          readonly count: string
          readonly sum: number
          readonly bucketCounts: readonly string[]
          readonly explicitBounds: readonly number[]
        })[]
      }
    }
)

/** Counts since a time, as they are now. @param bounds of the histogram, seconds */
export function otlpMetrics(
  counts: MetricCounts,
  readings: readonly Reading[],
  {
    start,
    now,
    bounds,
  }: { readonly start: number; readonly now: number; readonly bounds: readonly number[] },
): readonly OtlpMetric[] {
  const times = { startTimeUnixNano: nanoseconds(start), timeUnixNano: nanoseconds(now) }
  const sums = new Map<string, Point[]>()
  for (const [key, value] of Object.entries(counts.series)) {
    const { name, labels } = seriesOf(key)
    const points = sums.get(name) ?? []
    points.push({ attributes: otlpAttributes(labels), ...times, asDouble: value })
    sums.set(name, points)
  }
  return [
    ...[...sums].map(([name, dataPoints]) => sumOf(name, dataPoints)),
    ...readings.map(({ name, type, labels = {}, value }): OtlpMetric => {
      const point = { attributes: otlpAttributes(labels), timeUnixNano: times.timeUnixNano, asDouble: value }
      return type === 'gauge'
        ? { name, unit: '1', gauge: { dataPoints: [point] } }
        : sumOf(name, [{ ...point, ...times }])
    }),
    {
      name: 'postern_request_duration_seconds',
      unit: 's',
      histogram: {
        aggregationTemporality: CUMULATIVE,
        dataPoints: [
          {
            attributes: [],
            ...times,
            count: String(counts.durations.reduce((sum, count) => sum + count, 0)),
            sum: counts.seconds,
            bucketCounts: counts.durations.map(String),
            explicitBounds: bounds,
          },
        ],
      },
    },
  ]
}

function sumOf(name: string, dataPoints: readonly Point[]): OtlpMetric {
  return {
    name,
    unit: '1',
    sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints },
  }
}

/** A series of the Prometheus page: `name{label="value",...}`. */
function seriesOf(key: string): { readonly name: string; readonly labels: Readonly<Record<string, string>> } {
  const labels = [...key.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [
    name,
    value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
  ])
  return { name: key.split('{', 1)[0] ?? key, labels: Object.fromEntries(labels) as Record<string, string> }
}
