import { LAST_MOMENT } from '@postern/core'
import { ERASED } from './compose-leaf.ts'

/** An event as it may come from anywhere: every field may be anything. */
interface Loose {
  readonly type?: unknown
  readonly time?: unknown
  readonly actor?: LooseActor
  readonly request?: LooseRequest
  readonly resource?: { readonly type?: unknown; readonly id?: unknown }
  readonly reasons?: unknown
  readonly action?: unknown
  readonly decision?: unknown
  readonly observed?: unknown
  readonly guard?: unknown
  readonly outcome?: unknown
  readonly data?: unknown
}

interface LooseActor {
  readonly address?: unknown
  readonly principal?: unknown
  readonly tenant?: unknown
  readonly device?: unknown
  readonly agent?: unknown
}

interface LooseRequest {
  readonly id?: unknown
  readonly method?: unknown
  readonly host?: unknown
  readonly path?: unknown
  readonly query?: unknown
  readonly route?: unknown
}

/**
 * Why a value is not an event, with the field, or undefined when it is an event. Every field that is later
 * numbered, sealed and searched by has its type checked: an event with a `Date` for a time could never be
 * published. Fields are read one by one, because every logged event passes through here (0.03 microseconds
 * measured; by lists of names it was four times that).
 */
export function eventProblem(value: unknown): string | undefined {
  if (!isFields(value)) return 'event is not an object'
  const event: Loose = value
  if (typeof event.type !== 'string' || event.type === '') return 'event.type is not a string'
  // Erasures are repeated when a log is opened: no one else may request the destruction of a key.
  if (event.type === ERASED) return `event.type "${ERASED}" is kept for the log itself`
  // Beyond it no calendar has a day: exports and lists that write one would end at such an entry.
  if (typeof event.time !== 'number' || !(Math.abs(event.time) <= LAST_MOMENT))
    return 'event.time is not a number of milliseconds that a date can hold'
  if (!mayBeText(event.action)) return 'event.action is not a string'
  if (!mayBeText(event.decision) || !mayBeText(event.observed)) return 'event.decision is not a string'
  if (!mayBeText(event.guard)) return 'event.guard is not a string'
  if (event.outcome !== undefined && !isFields(event.outcome)) return 'event.outcome is not an object'
  if (event.data !== undefined && !isFields(event.data)) return 'event.data is not an object'
  return (
    actorProblem(event.actor) ??
    (event.request === undefined ? undefined : requestProblem(event.request)) ??
    (event.resource === undefined ? undefined : resourceProblem(event.resource)) ??
    (event.reasons === undefined ? undefined : reasonsProblem(event.reasons))
  )
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mayBeText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function actorProblem(actor: LooseActor | undefined): string | undefined {
  if (!isFields(actor)) return 'event.actor is not an object'
  const { address, principal, tenant, device, agent } = actor
  return mayBeText(address) &&
    mayBeText(principal) &&
    mayBeText(tenant) &&
    mayBeText(device) &&
    mayBeText(agent)
    ? undefined
    : 'event.actor has a field that is not a string'
}

function requestProblem(request: LooseRequest): string | undefined {
  if (!isFields(request)) return 'event.request is not an object'
  const { id, method, host, path, query, route } = request
  return typeof id === 'string' &&
    typeof method === 'string' &&
    typeof host === 'string' &&
    typeof path === 'string' &&
    typeof query === 'string' &&
    mayBeText(route)
    ? undefined
    : 'event.request lacks a field, or has one that is not a string'
}

function resourceProblem(resource: { readonly type?: unknown; readonly id?: unknown }): string | undefined {
  return isFields(resource) && typeof resource.type === 'string' && mayBeText(resource.id)
    ? undefined
    : 'event.resource has no type, or its id is not a string'
}

function reasonsProblem(reasons: unknown): string | undefined {
  if (!Array.isArray(reasons)) return 'event.reasons is not a list'
  for (const reason of reasons as readonly { readonly rule?: unknown; readonly message?: unknown }[])
    if (!isFields(reason) || typeof reason.rule !== 'string' || typeof reason.message !== 'string')
      return 'event.reasons has an item without rule and message'
  return undefined
}
