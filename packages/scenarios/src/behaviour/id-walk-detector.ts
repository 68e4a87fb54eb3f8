import { type Actor, type Detector, type Event, type Finding, HttpEvent } from '@postern/core'
import { countedActorOf, countedAddressOf } from '../counted-client.ts'
import { actorOf, principalOf } from '../event-fields.ts'
import { kept } from '../group-key.ts'
import { RecentMap } from '../recent-map.ts'
import { type BehaviourOptions, findingOf, respondOf } from './behaviour-options.ts'

/** How many steps make a walk, and within which time. */
export interface IdWalkOptions extends BehaviourOptions {
  /** So many neighbouring ids in a row are a walk. Default: 40. */
  readonly steps?: number
  /**
   * So many ids that were never issued to the actor, within ten minutes, are a search. Default: 10.
   */
  readonly unissued?: number
}

/** Where a number stands in a path: what is before and behind it. */
interface Place {
  readonly before: string
  readonly after: string
  readonly id: number
}

interface Walk {
  last: number
  steps: number
  /** Steps that the backend refused or had nothing for. */
  refused: number
  started: number
  quietUntil: number
  /** Ids that were refused last, whatever was asked for between them; absent until there is one. */
  near: number[] | undefined
  /** Refused ids that stand beside one of those, and since when they are counted. */
  beside: number
  since: number
}

interface Issued {
  /** Ids the application told us it handed out, the latest last. */
  readonly ids: Set<string>
  /** Ids asked for that were not among them. */
  readonly unissued: Map<string, number>
  quietUntil: number
}

const WALK_MS = 600_000
const SILENCE_MS = 300_000
/**
 * Between two ids of a walk: walkers leave gaps where they divide the work, or where records were deleted.
 */
const MAX_STRIDE = 5
/** Refused ids that the next one is compared with: so many far ones may stand between two steps. */
const NEAR = 8
const MAX_ISSUED = 5_000
const MAX_UNISSUED = 200

/**
 * Insecure direct object references, tried one after the other: ids that count upwards or downwards, and,
 * where the application says which ids it gave to whom (events `records.issued` with `data.ids`), ids that
 * were never given to this actor.
 *
 * A walk whose answers are the records themselves is an alert only: a client that synchronises its own notes
 * and one that reads a public catalogue count just like that. Where the backend refused half of the steps, it
 * is throttled by default. What Postern refused itself is not a step.
 */
export function idWalkDetector(options: IdWalkOptions = {}): Detector {
  const steps = options.steps ?? 40
  const mostUnissued = options.unissued ?? 10
  const respond = respondOf(options, 'throttle')
  const capacity = options.capacity ?? 20_000
  const walks = new RecentMap<Walk>(capacity)
  const issued = new RecentMap<Issued>(Math.min(capacity, 2_000))

  const walked = (
    who: string,
    { before, after, id }: Place,
    event: Event,
  ): 'read' | 'refused' | undefined => {
    const { time } = event
    const rest = after === '' ? before : `${before}:id${after}`
    const walk =
      walks.find(who, rest) ??
      walks.add(
        kept(who, event),
        {
          last: id,
          steps: 0,
          refused: 0,
          started: time,
          quietUntil: 0,
          near: undefined,
          beside: 0,
          since: time,
        },
        kept(rest, event),
      )
    const stride = Math.abs(id - walk.last)
    if (stride === 0) return undefined
    walk.last = id
    if (isRefused(event) && isMixedSearch(walk, id, time, steps)) {
      walk.quietUntil = time + SILENCE_MS
      walk.steps = 0
      walk.refused = 0
      return 'refused'
    }
    if (stride > MAX_STRIDE || time - walk.started > WALK_MS) {
      walk.steps = 0
      walk.refused = 0
      walk.started = time
      return undefined
    }
    walk.steps++
    if (isRefused(event)) walk.refused++
    if (walk.steps < steps || time < walk.quietUntil) return undefined
    walk.quietUntil = time + SILENCE_MS
    const isSearch = walk.refused * 2 >= walk.steps
    walk.steps = 0
    walk.refused = 0
    return isSearch ? 'refused' : 'read'
  }

  const searched = (key: string, id: string, time: number): boolean => {
    // Without a word from the application nothing can be said. Whoever asks is not remembered for it: others
    // would push out those who were given something.
    const known = issued.find(key)
    if (known === undefined || known.ids.has(id)) return false
    known.unissued.delete(id)
    known.unissued.set(id, time)
    for (const [old, seen] of known.unissued) {
      if (time - seen <= WALK_MS && known.unissued.size <= MAX_UNISSUED) break
      known.unissued.delete(old)
    }
    if (known.unissued.size < mostUnissued || time < known.quietUntil) return false
    known.quietUntil = time + SILENCE_MS
    known.unissued.clear()
    return true
  }

  return {
    name: 'id-walk',
    // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one decision about one event; most events leave in its first lines.
    observe(event): readonly Finding[] | undefined {
      const isRequest = event.type === 'http'
      if (isRequest && event.decision !== undefined && event.decision !== 'allow') return undefined
      const place = isRequest ? placeOf(event) : undefined
      const { resource } = event
      // Most requests are for no record: nothing is put together for them.
      if (isRequest ? place === undefined && resource?.id === undefined : event.type !== 'records.issued')
        return undefined
      if (place !== undefined) {
        const who = principalOf(event) || countedAddressOf(event)
        const walk = who === undefined || who === '' ? undefined : walked(who, place, event)
        if (who !== undefined && walk !== undefined) {
          const title = `Walks through the ids of ${place.before}:id${place.after}`
          const severity = walk === 'refused' ? 'high' : 'low'
          const about = { scenario: 'id-walk', title, severity, count: steps } as const
          const actor = whose(event) ?? { kind: 'address', value: who }
          return [findingOf(event, actor, about, walk === 'refused' ? respond : undefined)]
        }
        if (resource?.id === undefined) return undefined
      }
      const actor = whose(event)
      const who = countedActorOf(event, 'client')
      if (actor === undefined || who === undefined) return undefined
      if (!isRequest) {
        remember(issued.touch(`${who} ${event.resource?.type ?? ''}`, newIssued), event)
        return undefined
      }
      if (resource?.id !== undefined && searched(`${who} ${resource.type}`, resource.id, event.time)) {
        const title = `Asks for ${mostUnissued} ids of ${resource.type} that it was never given`
        return [
          findingOf(
            event,
            actor,
            { scenario: 'id-unissued', title, severity: 'high', count: mostUnissued },
            respond,
          ),
        ]
      }
      return undefined
    },
  }
}

/**
 * Whether so many refused ids stood beside each other within ten minutes, with others between them: who mixes
 * far ids into a walk makes no two steps in a row. Honest clients are not refused neighbour after neighbour.
 */
function isMixedSearch(walk: Walk, id: number, time: number, most: number): boolean {
  walk.near ??= []
  const { near } = walk
  if (time - walk.since > WALK_MS) {
    walk.since = time
    walk.beside = 0
  }
  if (near.includes(id)) return false
  if (near.some(other => Math.abs(other - id) <= MAX_STRIDE)) walk.beside++
  if (near.push(id) > NEAR) near.shift()
  if (walk.beside < most || time < walk.quietUntil) return false
  walk.beside = 0
  return true
}

/** The answers of a record that is not there, or not theirs. */
function isRefused({ outcome }: Event): boolean {
  const status = outcome?.status
  return status === 401 || status === 403 || status === 404
}

function newIssued(): Issued {
  return { ids: new Set(), unissued: new Map(), quietUntil: 0 }
}

function whose(event: Event): Actor | undefined {
  return actorOf(event, 'principal') ?? actorOf(event, 'address')
}

function remember(issued: Issued, event: Event): void {
  const ids = event.data?.['ids']
  if (!Array.isArray(ids)) return
  for (const id of ids.slice(0, MAX_ISSUED)) {
    issued.ids.delete(String(id))
    issued.ids.add(String(id))
  }
  for (const id of issued.ids) {
    if (issued.ids.size <= MAX_ISSUED) return
    issued.ids.delete(id)
  }
}

/**
 * The path with its last whole-number segment taken out, where it is the last segment or a word follows it,
 * and that number. Pages (`/page/3`) are walked by readers. Read from the end: an expression takes a
 * microsecond for a path without a number.
 */
function placeOf(event: Event): Place | undefined {
  const path = event instanceof HttpEvent ? event.exchange.path.canonical : event.request?.path
  if (path === undefined || path.length > 512) return undefined
  let start = path.lastIndexOf('/') + 1
  let end = path.length
  if (start < end && !isDigit(path.charCodeAt(start))) {
    end = start - 1
    start = path.lastIndexOf('/', end - 1) + 1
    if (end <= 0) return undefined
  }
  if (start === 0 || !isNumber(path, start, end)) return undefined
  const before = path.slice(0, start)
  if (PAGE.test(before) || LINE_END.test(before)) return undefined
  return { before, after: end === path.length ? '' : path.slice(end), id: Number(path.slice(start, end)) }
}

const PAGE = /\/(?:page|p|seite)\/$/i
const LINE_END = /[\n\r\u2028\u2029]/

/** One to fifteen digits: more than that is not a whole number that can be counted on. */
function isNumber(text: string, start: number, end: number): boolean {
  if (end <= start || end - start > 15) return false
  for (let i = start; i < end; i++) if (!isDigit(text.charCodeAt(i))) return false
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}
