import {
  type Actor,
  type Detector,
  type Duration,
  type Event,
  type Finding,
  HttpEvent,
  type Measure,
  parseDuration,
} from '@postern/core'
import { compileOwnedRoute, type OwnedRoute } from './owned-route.ts'

/** How many records make a finding, and within which time. */
export interface ForeignRecordOptions {
  /** So many different records refused to one actor within the window are a search. Default: 10. */
  readonly refused?: number
  /** Default: `10m`. */
  readonly window?: Duration
  /**
   * Records remembered with who was served them first; the longest unused is
   * forgotten beyond it. Default: 50,000.
   */
  readonly capacity?: number
  /** What is done about a search. Default: `throttle` for 15 minutes. `alert`: nothing. */
  readonly respond?: Measure | 'alert'
}

interface Search {
  readonly ids: Map<string, number>
  quietUntil: number
}

const RESPOND_MS = 900_000
const MAX_ACTORS = 5_000
const MAX_IDS = 200
const MAX_REQUESTS = 10

/**
 * Two signs of broken object level authorization that walking through ids does not show.
 * `access/foreign-refused`: one actor is refused many different records by policy, whatever their
 * ids look like. `access/foreign-served`: on a route declared as `owned`, a record is answered
 * (2xx) to a second principal: the application's own check may be missing. The second is an alert
 * for people, not a reason to stop anybody.
 */
export function foreignRecordDetector(options: ForeignRecordOptions = {}): Detector {
  const most = options.refused ?? 10
  const windowMs = parseDuration(options.window ?? '10m', 'ownership.window')
  const capacity = options.capacity ?? 50_000
  const respond = options.respond ?? 'throttle'
  const searches = new Map<string, Search>()
  /** The first principal a record was served to, and whether a finding was made of it already. */
  const served = new Map<string, { readonly owner: string; isFound: boolean }>()

  const searched = (actor: Actor, record: string, event: Event): Finding | undefined => {
    const key = `${actor.kind} ${actor.value}`
    const search = recent(searches, key, MAX_ACTORS, () => ({ ids: new Map(), quietUntil: 0 }))
    search.ids.delete(record)
    search.ids.set(record, event.time)
    for (const [old, time] of search.ids) {
      if (event.time - time <= windowMs && search.ids.size <= MAX_IDS) break
      search.ids.delete(old)
    }
    if (search.ids.size < most || event.time < search.quietUntil) return undefined
    search.quietUntil = event.time + windowMs
    return {
      scenario: 'access/foreign-refused',
      title: `Asks for ${most} different records of ${event.resource?.type ?? 'one type'} that it may not have`,
      severity: 'high',
      actor,
      count: most,
      requests: event.request === undefined ? [] : [event.request.id],
      ...(respond !== 'alert' && { respond: { measure: respond, duration: RESPOND_MS } }),
    }
  }

  const servedTo = (principal: string, record: string, event: Event): Finding | undefined => {
    const first = recent(served, record, capacity, () => ({ owner: principal, isFound: false }))
    if (first.owner === principal || first.isFound) return undefined
    first.isFound = true
    return {
      scenario: 'access/foreign-served',
      title: `${event.resource?.type ?? 'A record'} of somebody was answered to another; check who may have it on ${event.request?.route ?? 'this route'}`,
      severity: 'medium',
      actor: { kind: 'principal', value: principal },
      count: 1,
      requests: event.request === undefined ? [] : [event.request.id].slice(0, MAX_REQUESTS),
    }
  }

  const refusedTo = (record: string, event: Event): Finding | undefined => {
    const actor = actorOf(event)
    return actor === undefined ? undefined : searched(actor, record, event)
  }

  const answeredWith = (record: string, event: Event): Finding | undefined => {
    const { principal } = event.actor
    if (principal === undefined || !isAnswered(event) || !isOwned(event)) return undefined
    return servedTo(principal, record, event)
  }

  return {
    name: 'foreign-records',
    observe(event): readonly Finding[] | undefined {
      const { resource } = event
      if (event.type !== 'http' || resource?.id === undefined) return undefined
      const record = `${resource.type}/${resource.id}`
      const finding = isRefusedByPolicy(event) ? refusedTo(record, event) : answeredWith(record, event)
      return finding === undefined ? undefined : [finding]
    },
  }
}

function isRefusedByPolicy({ guard, reasons }: Event): boolean {
  return guard === 'access' && reasons?.[0]?.rule === 'access/policy'
}

/** Who acts: the principal, else the address. */
function actorOf({ actor: { principal, address } }: Event): Actor | undefined {
  if (principal !== undefined) return { kind: 'principal', value: principal }
  return address === undefined ? undefined : { kind: 'address', value: address }
}

function isAnswered({ outcome }: Event): boolean {
  const status = outcome?.status ?? 0
  return status >= 200 && status <= 299
}

function isOwned(event: Event): boolean {
  if (!(event instanceof HttpEvent)) return false
  const { route, principal } = event.exchange
  const owned: string | OwnedRoute | undefined = route?.settings.owned
  if (owned === undefined) return false
  const { except = [] } = compileOwnedRoute(owned, 'routes')
  return !except.some(role => principal.roles?.includes(role) === true)
}

/** The value of a key, made when there is none; the key becomes the most recently used one. */
function recent<V>(map: Map<string, V>, key: string, capacity: number, make: () => V): V {
  const value = map.get(key) ?? make()
  map.delete(key)
  map.set(key, value)
  if (map.size > capacity) {
    const oldest = map.keys().next()
    if (oldest.done !== true) map.delete(oldest.value)
  }
  return value
}
