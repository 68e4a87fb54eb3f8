import type { Detector, Finding } from '@postern/core'
import { actorOf, principalOf } from '../event-fields.ts'
import { RecentMap } from '../recent-map.ts'
import { findingOf } from './behaviour-options.ts'

/** A place on earth, in degrees. */
export interface Coordinates {
  readonly latitude: number
  readonly longitude: number
}

/** Where addresses are, and which speed and distance make a finding. */
export interface TravelOptions {
  /**
   * Where an address is, from a database of yours; undefined when it is not known. Called for every event of
   * a principal: answer from memory.
   */
  readonly locate: (address: string) => Coordinates | undefined
  /** Faster than this is impossible. Default: 1,000 km/h. */
  readonly kmPerHour?: number
  /** Nearer than this is not travel, since such databases err. Default: 500 km. */
  readonly km?: number
  /** Most principals kept in mind. Default: 20,000. */
  readonly capacity?: number
}

interface Seen {
  time: number
  address: string
  place: Coordinates | undefined
  quietUntil: number
}

const SILENCE_MS = 3_600_000

/**
 * Impossible travel: one principal from two places that nobody gets between in the time. Alerts only:
 * VPNs and phones do this too, so acting on it by itself would refuse honest users.
 */
export function travelDetector(options: TravelOptions): Detector {
  const speed = options.kmPerHour ?? 1_000
  const least = options.km ?? 500
  const principals = new RecentMap<Seen>(options.capacity ?? 20_000)

  return {
    name: 'impossible-travel',
    observe(event): readonly Finding[] | undefined {
      const principal = principalOf(event)
      const address = principal === undefined ? undefined : actorOf(event, 'address')?.value
      if (principal === undefined || address === undefined) return undefined
      const seen = principals.touch(principal, () => ({
        time: event.time,
        address: '',
        place: undefined,
        quietUntil: 0,
      }))
      if (seen.address === address) {
        seen.time = Math.max(seen.time, event.time)
        return undefined
      }
      const place = options.locate(address)
      if (place === undefined) return undefined
      const { place: before, time } = seen
      seen.address = address
      seen.place = place
      seen.time = event.time
      if (before === undefined || event.time < seen.quietUntil) return undefined
      const km = distance(before, place)
      const hours = Math.max(0, event.time - time) / 3_600_000
      if (km < least || km <= hours * speed) return undefined
      seen.quietUntil = event.time + SILENCE_MS
      const title = `Was ${Math.round(km)} km away ${Math.round(hours * 60)} minutes before`
      const actor = { kind: 'principal', value: principal } as const
      return [
        findingOf(
          event,
          actor,
          { scenario: 'impossible-travel', title, severity: 'medium', count: 2 },
          undefined,
        ),
      ]
    },
  }
}

const EARTH_KM = 6_371

/** Along the great circle, in kilometres (haversine). */
function distance(a: Coordinates, b: Coordinates): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const rise = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2
  const run = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2
  const chord = rise + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * run
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(chord)))
}
