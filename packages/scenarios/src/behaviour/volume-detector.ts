import { type ByteSize, type Detector, type Event, type Finding, parseByteSize } from '@postern/core'
import { methodOf, principalOf } from '../event-fields.ts'
import { RecentMap } from '../recent-map.ts'
import { type BehaviourOptions, findingOf, respondOf } from './behaviour-options.ts'

/** How many rows and bytes are never a finding, and how far above its history an actor may go. */
export interface VolumeOptions extends BehaviourOptions {
  /** Rows that anybody may change within an hour. Default: 200. */
  readonly rows?: number
  /** Bytes that anybody may read within an hour. Default: 200 MiB. */
  readonly bytes?: ByteSize
  /** How many times their own usual hour an actor may reach. Default: 10. */
  readonly factor?: number
}

/** One kind of volume of one actor. */
interface Volume {
  hour: number
  amount: number
  /** Moving average of the hours in which there was any. */
  usual: number
  hours: number
  hasFired: boolean
}

interface History {
  readonly changed: Volume
  readonly read: Volume
}

const HOUR_MS = 3_600_000
/** Below this many hours of history only the floor counts: nobody has a habit yet. */
const MIN_HOURS = 3
/** Weight of the latest hour: about the last ten active hours make the habit. */
const WEIGHT = 0.2

/**
 * Mass changes and mass exports against the actor's own history: a session that was stolen does in an hour
 * what its owner does in weeks. Rows are those a budget counted, else one per successful PUT, PATCH and
 * DELETE. Finds once an hour and actor; throttles the principal by default.
 */
export function volumeDetector(options: VolumeOptions = {}): Detector {
  const floors = {
    changed: options.rows ?? 200,
    read: parseByteSize(options.bytes ?? '200mb', 'volume.bytes'),
  }
  const factor = options.factor ?? 10
  const respond = respondOf(options, 'throttle')
  const histories = new RecentMap<History>(options.capacity ?? 20_000)

  const exceeded = (volume: Volume, hour: number, amount: number, floor: number): boolean => {
    if (hour > volume.hour) {
      if (volume.amount > 0) {
        // What was found too much does not become a habit at once.
        const learned = volume.hasFired
          ? Math.min(volume.amount, Math.max(floor, volume.usual))
          : volume.amount
        volume.usual = volume.hours === 0 ? learned : volume.usual * (1 - WEIGHT) + learned * WEIGHT
        volume.hours++
      }
      volume.hour = hour
      volume.amount = 0
      volume.hasFired = false
    }
    volume.amount += amount
    const limit = volume.hours < MIN_HOURS ? floor * factor : Math.max(floor, volume.usual * factor)
    if (volume.amount <= limit || volume.hasFired) return false
    volume.hasFired = true
    return true
  }

  return {
    name: 'volume',
    observe(event): readonly Finding[] | undefined {
      const principal = principalOf(event)
      const outcome = event.outcome
      if (principal === undefined || outcome === undefined || outcome.status >= 400) return undefined
      const rows = changedRows(event)
      const history = histories.touch(principal, () => ({ changed: newVolume(), read: newVolume() }))
      const hour = Math.floor(event.time / HOUR_MS)
      const actor = { kind: 'principal', value: principal } as const
      if (rows > 0 && exceeded(history.changed, hour, rows, floors.changed)) {
        const title = `Changes far more rows than ever: ${history.changed.amount} within an hour`
        return [
          findingOf(
            event,
            actor,
            { scenario: 'bulk-change', title, severity: 'high', count: history.changed.amount },
            respond,
          ),
        ]
      }
      if (rows === 0 && outcome.bytes > 0 && exceeded(history.read, hour, outcome.bytes, floors.read)) {
        const title = `Reads far more than ever: ${Math.round(history.read.amount / 1_048_576)} MiB within an hour`
        return [
          findingOf(event, actor, { scenario: 'bulk-export', title, severity: 'high', count: 1 }, respond),
        ]
      }
      return undefined
    },
  }
}

function newVolume(): Volume {
  return { hour: 0, amount: 0, usual: 0, hours: 0, hasFired: false }
}

function changedRows(event: Event): number {
  if (event.outcome?.rows !== undefined) return event.outcome.rows
  const method = methodOf(event)
  return method === 'PUT' || method === 'PATCH' || method === 'DELETE' ? 1 : 0
}
