import type { Event, Json } from '@postern/core'
import type { Entry } from '../entry/entry.ts'

/** An event as OCSF has it. */
export type OcsfEvent = { readonly [key: string]: Json }

const VERSION = '1.8.0'
const OTHER = 99

/** Classes of OCSF that entries become, with their category. */
const CLASSES = {
  accountChange: { class_uid: 3001, class_name: 'Account Change', category_uid: 3 },
  authentication: { class_uid: 3002, class_name: 'Authentication', category_uid: 3 },
  authorizeSession: { class_uid: 3003, class_name: 'Authorize Session', category_uid: 3 },
  userAccess: { class_uid: 3005, class_name: 'User Access Management', category_uid: 3 },
  webResources: { class_uid: 6001, class_name: 'Web Resources Activity', category_uid: 6 },
  api: { class_uid: 6003, class_name: 'API Activity', category_uid: 6 },
  datastore: { class_uid: 6005, class_name: 'Datastore Activity', category_uid: 6 },
  finding: { class_uid: 2004, class_name: 'Detection Finding', category_uid: 2 },
} as const

const CATEGORY_NAMES: Readonly<Record<number, string>> = {
  2: 'Findings',
  3: 'Identity & Access Management',
  6: 'Application Activity',
}

interface Mapping {
  readonly kind: keyof typeof CLASSES
  readonly activity: number
}

/**
 * What a type of event is in OCSF; the first that fits. Everything else is API
 * Activity, with its type as the operation.
 */
const MAPPINGS: readonly (readonly [RegExp, Mapping])[] = [
  [/^finding$/, { kind: 'finding', activity: 1 }],
  [/^login\./, { kind: 'authentication', activity: 1 }],
  [/^logout|^session\.(?:ended|revoked)/, { kind: 'authentication', activity: 2 }],
  [/^session\.(?:created|elevated)/, { kind: 'authorizeSession', activity: 1 }],
  [/^account\.created/, { kind: 'accountChange', activity: 1 }],
  [/^(?:account\.deleted|audit\.subject\.erased)/, { kind: 'accountChange', activity: 6 }],
  [/^account\.locked/, { kind: 'accountChange', activity: 9 }],
  [/^account\.unlocked/, { kind: 'accountChange', activity: 12 }],
  [/^password\.reset/, { kind: 'accountChange', activity: 4 }],
  [/^password\./, { kind: 'accountChange', activity: 3 }],
  [/^(?:mfa|passkey)\.(?:added|enabled)/, { kind: 'accountChange', activity: 10 }],
  [/^(?:mfa|passkey)\.(?:removed|disabled)/, { kind: 'accountChange', activity: 11 }],
  [/^(?:role|access)\.(?:granted|assigned|added)/, { kind: 'userAccess', activity: 1 }],
  [/^(?:role|access)\.(?:revoked|removed)/, { kind: 'userAccess', activity: 2 }],
  [/^vault\.(?:decrypt|open)/, { kind: 'datastore', activity: 10 }],
  [/^vault\.(?:encrypt|seal)/, { kind: 'datastore', activity: 9 }],
  [/^(?:budget|rows|vault)\./, { kind: 'datastore', activity: OTHER }],
  [/^page\./, { kind: 'webResources', activity: 2 }],
]

const METHOD_ACTIVITY: Readonly<Record<string, number>> = {
  GET: 2,
  HEAD: 2,
  POST: 1,
  PUT: 3,
  PATCH: 3,
  DELETE: 4,
}
const SEVERITY: Readonly<Record<string, number>> = { low: 2, medium: 3, high: 4, critical: 5 }
/** `action_id` and `disposition_id` of the security control profile. */
const CONTROL: Readonly<Record<string, readonly [number, number]>> = {
  allow: [1, 1],
  throttle: [2, 25],
  challenge: [2, 23],
  deny: [2, 2],
}

/**
 * An entry as an OCSF event of the 1.x schema, ready for a security lake. What was
 * erased or never known is left out.
 */
export function toOcsf(entry: Entry): OcsfEvent {
  const { event } = entry
  const mapping = mappingOf(event)
  const shape = CLASSES[mapping.kind]
  return {
    ...shape,
    category_name: CATEGORY_NAMES[shape.category_uid] ?? '',
    activity_id: mapping.activity,
    type_uid: shape.class_uid * 100 + mapping.activity,
    time: Math.round(event.time),
    severity_id: severityOf(event),
    message: messageOf(event),
    ...statusOf(event),
    ...(event.decision !== undefined && control(event.decision)),
    metadata: {
      version: VERSION,
      product: { name: 'Postern', vendor_name: 'Postern' },
      uid: entry.index.toString(),
      event_code: event.type,
      profiles: event.decision === undefined ? [] : ['security_control'],
      ...(entry.tenant !== '' && { tenant_uid: entry.tenant }),
      ...(event.request !== undefined && { correlation_uid: event.request.id }),
    },
    ...details(entry, mapping),
    unmapped: {
      leaf_hash: entry.leafHash,
      tenant_number: entry.number,
      ...(event.data !== undefined && { data: event.data }),
    },
  }
}

function mappingOf(event: Event): Mapping {
  const known = MAPPINGS.find(([pattern]) => pattern.test(event.type))?.[1]
  if (known !== undefined) return known
  const method = event.request?.method.toUpperCase() ?? ''
  return { kind: 'api', activity: event.type === 'http' ? (METHOD_ACTIVITY[method] ?? OTHER) : OTHER }
}

function severityOf(event: Event): number {
  const named = event.data?.['severity']
  if (event.type === 'finding' && typeof named === 'string') return SEVERITY[named] ?? 1
  return event.decision === undefined || event.decision === 'allow' ? 1 : 2
}

function messageOf(event: Event): string {
  const title = event.data?.['title']
  if (event.type === 'finding' && typeof title === 'string') return title
  return event.reasons?.[0]?.message ?? event.action ?? event.type
}

/** Success and failure, where the event says (`status_id` 1 and 2). */
function statusOf(event: Event): OcsfEvent {
  if (event.type === 'finding') return {}
  const failed =
    /\.(?:failed|refused|denied)$/.test(event.type) ||
    (event.outcome !== undefined && event.outcome.status >= 400)
  const refused = event.decision !== undefined && event.decision !== 'allow'
  return {
    status_id: failed || refused ? 2 : 1,
    ...(event.outcome !== undefined && {
      status_code: String(event.outcome.status),
      duration: Math.round(event.outcome.duration),
    }),
    ...(event.reasons?.[0] !== undefined && { status_detail: event.reasons[0].rule }),
  }
}

function control(decision: string): OcsfEvent {
  const [action = 0, disposition = 0] = CONTROL[decision] ?? []
  return { action_id: action, disposition_id: disposition }
}

/** Never empty: the schema wants one of name, uid and account. */
function userOf({ event, personal }: Entry): OcsfEvent {
  if (event.actor.principal !== undefined) return { uid: event.actor.principal }
  return { name: personal === 'erased' ? 'erased' : 'anonymous' }
}

function sourceOf({ event, personal }: Entry): OcsfEvent {
  if (event.actor.address !== undefined) return { ip: event.actor.address }
  return { name: personal === 'erased' ? 'erased' : 'unknown' }
}

function httpOf({ event }: Entry): OcsfEvent {
  if (event.request === undefined) return {}
  const { method, host, path, query } = event.request
  const standard = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE', 'PATCH'].includes(
    method,
  )
  return {
    http_request: {
      ...(standard && { http_method: method }),
      ...(path !== '' && { url: { path, hostname: host, ...(query !== '' && { query_string: query }) } }),
      ...(event.actor.agent !== undefined && { user_agent: event.actor.agent }),
      uid: event.request.id,
    },
    ...(event.outcome !== undefined && { http_response: { code: event.outcome.status } }),
  }
}

/** What a class wants beside what all have. */
function details(entry: Entry, { kind }: Mapping): OcsfEvent {
  const { event } = entry
  const user = userOf(entry)
  const service = { name: event.request?.host ?? 'postern' }
  const actor = { user }
  const resources = event.resource === undefined ? {} : { resources: [resourceOf(event.resource)] }
  switch (kind) {
    case 'authentication':
      return { user, service, src_endpoint: sourceOf(entry), ...httpOf(entry) }
    case 'authorizeSession':
      return { user, privileges: ['session'], ...httpOf(entry) }
    case 'accountChange':
      return { user, actor, src_endpoint: sourceOf(entry), ...httpOf(entry) }
    case 'userAccess':
      return { user, actor, privileges: [event.resource?.id ?? event.action ?? event.type], ...httpOf(entry) }
    case 'webResources':
      return {
        web_resources: [{ name: event.request?.path ?? event.type }],
        src_endpoint: sourceOf(entry),
        ...httpOf(entry),
      }
    case 'datastore':
      return {
        actor,
        src_endpoint: sourceOf(entry),
        table: { name: event.resource?.type ?? event.action ?? 'unknown' },
        ...httpOf(entry),
      }
    case 'finding':
      return { finding_info: findingOf(entry), ...resources }
    case 'api':
      return {
        actor,
        src_endpoint: sourceOf(entry),
        api: { operation: event.action ?? event.request?.route ?? event.type, service },
        ...resources,
        ...httpOf(entry),
      }
  }
}

/** The schema wants a name or a uid: a resource without an id goes by its type. */
function resourceOf({ type, id }: NonNullable<Event['resource']>): OcsfEvent {
  return { type, ...(id === undefined ? { name: type } : { uid: id }) }
}

function findingOf({ event, index }: Entry): OcsfEvent {
  const text = (name: string): string | undefined => {
    const value = event.data?.[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    uid: index.toString(),
    title: text('title') ?? text('scenario') ?? 'finding',
    types: [text('scenario') ?? 'unknown'],
    created_time: Math.round(event.time),
  }
}
