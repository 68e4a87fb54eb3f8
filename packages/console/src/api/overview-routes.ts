import type { Verdict } from '../traffic/traffic-event.ts'
import type { TrafficCount } from '../traffic/traffic-store.ts'
import { ABOUT_SHAPE, EVENT_SHAPE, HEALTH_SHAPE, SIZE_SHAPE } from './answer-shapes.ts'
import type { ApiCall, ApiRoute } from './api-route.ts'
import type { ApiShape } from './api-shape.ts'
import { queryNumber } from './call-values.ts'
import { eventRow } from './event-row.ts'

/** Requests of one step of the series, by verdict. */
interface Point {
  readonly time: number
  readonly counts: Readonly<Record<Verdict, number>>
  /** Milliseconds in the guards, on average. */
  readonly layer: number
}

const MAX_POINTS = 120
const TOP = 8
/** Refusals that are opened to group them by what they asked for. */
const NEWEST = 500
const REFUSED: readonly Verdict[] = ['deny', 'throttle', 'challenge', 'observed']

const COUNTS: ApiShape = {
  allow: 'integer',
  observed: 'integer',
  throttle: 'integer',
  challenge: 'integer',
  deny: 'integer',
}
const TOTALS: ApiShape = { counts: COUNTS, requests: 'integer', layer: 'number', total: 'number' }

/** What a glance shows: traffic by decision, what was refused most, what the layer costs. */
export const overviewRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/overview',
    role: 'viewer',
    summary: 'Traffic by decision over time, top refused rules, routes and actors, latency, and health.',
    query: { minutes: { type: 'integer', description: 'Length of the span, 5 to 10080. Default: 60.' } },
    answer: 'The overview; `before` holds the totals of the span of the same length before it.',
    shape: {
      now: 'time',
      minutes: 'integer',
      series: [{ time: 'time', counts: COUNTS, layer: 'number' }],
      totals: TOTALS,
      before: TOTALS,
      rules: [{ key: 'string', requests: 'integer', example: 'string?' }],
      routes: [{ key: 'string', requests: 'integer' }],
      actors: [{ requests: 'integer', last: EVENT_SHAPE }],
      size: SIZE_SHAPE,
      health: [HEALTH_SHAPE],
      ...ABOUT_SHAPE,
    },
    handle: overview,
  },
]

async function overview(call: ApiCall): Promise<unknown> {
  const { parts } = call
  const minutes = queryNumber(call, 'minutes', { fallback: 60, least: 5, most: 10_080 })
  const now = parts.clock.now()
  const last = Math.floor(now / 60_000)
  const first = last - minutes + 1
  const counts = await parts.traffic.counts((first - minutes) * 60_000)
  const inSpan = counts.filter(({ minute }) => minute >= first)
  const actors = await parts.traffic.refusedActors(first * 60_000, TOP)
  const refused = inSpan.filter(({ verdict }) => verdict !== 'allow')
  const rules = await Promise.all(
    topOf(refused, ({ rule }) => rule).map(async entry => ({
      ...entry,
      example: await exampleOf(call, entry.key),
    })),
  )
  return {
    now,
    minutes,
    series: seriesOf(inSpan, first, last),
    totals: totalsOf(inSpan),
    before: totalsOf(counts.filter(({ minute }) => minute < first)),
    rules,
    routes: await refusedRoutes(call, first * 60_000),
    actors: actors.map(({ requests, last: event }) => ({ requests, last: eventRow(event) })),
    size: await parts.traffic.size(),
    health: parts.health(),
    ...parts.about(),
  }
}

/** A request that a rule refused: one click from a number to its cause. */
async function exampleOf({ parts }: ApiCall, rule: string): Promise<string | undefined> {
  const [newest] = await parts.traffic.find({ rule, type: 'http', limit: 1 })
  return newest?.event.request?.id
}

/**
 * Routes and, where none is configured, paths of the newest refusals; each counts for as many as it stands
 * for.
 */
async function refusedRoutes({ parts }: ApiCall, from: number): Promise<ReturnType<typeof topOf>> {
  const events = await parts.traffic.find({ type: 'http', verdicts: REFUSED, from, limit: NEWEST })
  return topOf(events, ({ event: { request } }) =>
    request === undefined ? '' : (request.route ?? `${request.method} ${request.path}`),
  )
}

function noCounts(): Record<Verdict, number> {
  return { allow: 0, observed: 0, throttle: 0, challenge: 0, deny: 0 }
}

function totalsOf(counts: readonly TrafficCount[]): unknown {
  const by = noCounts()
  let requests = 0
  let layer = 0
  let total = 0
  for (const count of counts) {
    by[count.verdict] += count.requests
    requests += count.requests
    layer += count.layer
    total += count.total
  }
  return {
    counts: by,
    requests,
    layer: requests === 0 ? 0 : layer / requests,
    total: requests === 0 ? 0 : total / requests,
  }
}

function seriesOf(counts: readonly TrafficCount[], first: number, last: number): readonly Point[] {
  const step = Math.ceil((last - first + 1) / MAX_POINTS)
  const points = Array.from({ length: Math.ceil((last - first + 1) / step) }, (_, i) => ({
    time: (first + i * step) * 60_000,
    counts: noCounts(),
    requests: 0,
    layer: 0,
  }))
  for (const { minute, verdict, requests, layer } of counts) {
    const point = points[Math.floor((minute - first) / step)]
    if (point === undefined) continue
    point.counts[verdict] += requests
    point.requests += requests
    point.layer += layer
  }
  return points.map(({ time, counts: by, requests, layer }) => ({
    time,
    counts: by,
    layer: requests === 0 ? 0 : layer / requests,
  }))
}

function topOf<Item extends { readonly requests: number } | { readonly weight: number }>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): readonly { readonly key: string; readonly requests: number }[] {
  const sums = new Map<string, number>()
  for (const item of items) {
    const key = keyOf(item)
    const requests = 'weight' in item ? item.weight : item.requests
    if (key !== '') sums.set(key, (sums.get(key) ?? 0) + requests)
  }
  return [...sums]
    .map(([key, requests]) => ({ key, requests }))
    .sort((a, b) => b.requests - a.requests)
    .slice(0, TOP)
}
