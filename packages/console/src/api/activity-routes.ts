import type { PlaceCount } from '../traffic/traffic-store.ts'
import type { ApiCall, ApiRoute } from './api-route.ts'
import { queryNumber } from './call-values.ts'

const HOUR_MS = 3_600_000
const MOST_COUNTRIES = 60

/** Attempts by hour and country: a heat map. */
export const activityRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/activity',
    role: 'viewer',
    summary: 'Requests and refused attempts by hour, and by country where a proxy says it.',
    query: { days: { type: 'integer', description: 'How far back, 1 to 31. Default: 7.' } },
    answer:
      '`hours` in order, without gaps, from `from` on; `countries`, most refused first, 60 at most, each with its refused attempts of the same hours. `known` is false where no country was ever said.',
    shape: {
      from: 'time',
      hours: [{ time: 'time', requests: 'integer', refused: 'integer' }],
      known: 'boolean',
      countries: [{ country: 'string', requests: 'integer', refused: 'integer', hours: ['integer'] }],
    },
    handle: activity,
  },
]

interface Country {
  readonly country: string
  requests: number
  refused: number
  readonly hours: number[]
}

async function activity(call: ApiCall): Promise<unknown> {
  const days = queryNumber(call, 'days', { fallback: 7, least: 1, most: 31 })
  const { parts } = call
  await parts.flush()
  const last = Math.floor(parts.clock.now() / HOUR_MS)
  const first = last - days * 24 + 1
  const hours = Array.from({ length: days * 24 }, (_, i) => ({
    time: (first + i) * HOUR_MS,
    requests: 0,
    refused: 0,
  }))
  const countries = new Map<string, Country>()
  for (const place of await parts.traffic.places(first * HOUR_MS)) {
    const at = hours[place.hour - first]
    if (at === undefined) continue
    at.requests += place.requests
    at.refused += place.refused
    if (place.country !== '') addTo(countries, place, { at: place.hour - first, length: hours.length })
  }
  return {
    from: first * HOUR_MS,
    hours,
    known: countries.size > 0,
    countries: [...countries.values()].sort((a, b) => b.refused - a.refused).slice(0, MOST_COUNTRIES),
  }
}

function addTo(
  countries: Map<string, Country>,
  { country, requests, refused }: PlaceCount,
  { at, length }: { readonly at: number; readonly length: number },
): void {
  const known = countries.get(country) ?? {
    country,
    requests: 0,
    refused: 0,
    hours: new Array<number>(length).fill(0),
  }
  known.requests += requests
  known.refused += refused
  known.hours[at] = (known.hours[at] ?? 0) + refused
  countries.set(country, known)
}
