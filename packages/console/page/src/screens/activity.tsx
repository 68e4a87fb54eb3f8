import { type CSSProperties, type ReactNode, useMemo, useState } from 'react'
import { count, dateTime } from '../lib/format.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { TimeChart } from '../parts/time-chart.tsx'

interface Hour {
  readonly time: number
  readonly requests: number
  readonly refused: number
}

interface Activity {
  readonly from: number
  readonly hours: readonly Hour[]
  readonly known: boolean
  readonly countries: readonly {
    readonly country: string
    readonly requests: number
    readonly refused: number
    readonly hours: readonly number[]
  }[]
}

const DAYS = [
  ['7', '7 days'],
  ['14', '14 days'],
  ['31', '31 days'],
] as const
const EVERY_MS = 60_000
const OF_DAY = Array.from({ length: 24 }, (_, hour) => hour)
const MOST_COUNTRIES = 15

/** When attempts come, and from where. */
export function ActivityScreen(): ReactNode {
  const [days, setDays] = useState<(typeof DAYS)[number][0]>('7')
  const asked = useAsked<Activity>(`/activity?days=${days}`, EVERY_MS)
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Activity</h1>
        <Segments label="Span" values={DAYS} value={days} onChange={setDays} />
      </div>
      <Loaded asked={asked}>{activity => <Contents {...activity} />}</Loaded>
    </div>
  )
}

/** One line of the heat map: a day, or a country. */
interface HeatRow {
  readonly key: string
  readonly title: string
  /** By hour of the day. */
  readonly values: readonly number[]
}

function Contents({ hours, known, countries }: Activity): ReactNode {
  const refused = hours.reduce((sum, hour) => sum + hour.refused, 0)
  const chart = useMemo(
    () => ({
      times: hours.map(({ time }) => time),
      series: [{ colour: '--deny', values: hours.map(hour => hour.refused), least: 1.5 }],
    }),
    [hours],
  )
  const byCountry = countries.slice(0, MOST_COUNTRIES).map(({ country, hours: own }) => ({
    key: country,
    title: country,
    values: byHourOfDay(own.map((value, i) => ({ time: hours[i]?.time ?? 0, refused: value }))),
  }))
  return (
    <>
      <section className="card">
        <h2>Refused by hour</h2>
        <TimeChart
          {...chart}
          height={150}
          timeText={time => dateTime(time).split(',')[0] ?? ''}
          label={`${count(refused)} refused requests in ${hours.length} hours`}
        />
      </section>
      <section className="card">
        <h2>Attempts by day and hour</h2>
        {refused === 0 ? (
          <Empty title="Nothing was refused in this span" />
        ) : (
          <HeatMap label="Refused requests by day and hour" first="Day" rows={byDay(hours)} />
        )}
      </section>
      <section className="card">
        <h2>Attempts by country and hour of the day</h2>
        {known ? (
          <HeatMap label="Refused requests by country and hour of the day" first="Country" rows={byCountry} />
        ) : (
          <p className="muted small">
            No country is known: <code>console.country</code> names the header in which a proxy says it.
          </p>
        )}
      </section>
    </>
  )
}

function byHourOfDay(hours: readonly Pick<Hour, 'time' | 'refused'>[]): readonly number[] {
  const sums = OF_DAY.map(() => 0)
  for (const { time, refused } of hours) {
    const hour = new Date(time).getHours()
    sums[hour] = (sums[hour] ?? 0) + refused
  }
  return sums
}

/** Newest day first, in the time of this machine. */
function byDay(hours: readonly Hour[]): readonly HeatRow[] {
  const days = new Map<string, Hour[]>()
  for (const hour of hours) {
    const day = dateTime(hour.time).split(',')[0] ?? ''
    const own = days.get(day) ?? []
    own.push(hour)
    days.set(day, own)
  }
  return [...days].map(([day, own]) => ({ key: day, title: day, values: byHourOfDay(own) })).reverse()
}

function HeatMap({
  label,
  first,
  rows,
}: {
  readonly label: string
  readonly first: string
  readonly rows: readonly HeatRow[]
}): ReactNode {
  const most = Math.max(1, ...rows.flatMap(({ values }) => values))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="scroll" aria-label={label} tabIndex={0}>
      <table className="heat">
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {OF_DAY.map(hour => (
              <th key={hour} scope="col">
                {hour}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, title, values }) => (
            <tr key={key}>
              <th scope="row">{title}</th>
              {values.map((value, hour) => (
                <td
                  key={OF_DAY[hour]}
                  title={`${title}, ${hour}:00: ${count(value)}`}
                  style={{ '--heat': heatOf(value, most) } as CSSProperties}
                >
                  <span className="visually-hidden">{value}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** By the logarithm, so that a quiet hour is seen beside a flood. */
function heatOf(value: number, most: number): string {
  if (value === 0) return '0%'
  return `${Math.round(12 + 88 * (Math.log1p(value) / Math.log1p(most)))}%`
}
