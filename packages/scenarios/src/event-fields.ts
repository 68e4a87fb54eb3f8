import { type Actor, type ActorKind, type Address, type Event, HttpEvent, networkOf } from '@postern/core'
import { parameterNames } from './parameter-names.ts'

/** What a field of an event can hold; a list matches when one of its values does. */
export type FieldValue = string | number | boolean | readonly string[] | undefined

export type FieldReader = (event: Event) => FieldValue

/** The target as sent; events that were stored keep only its canonical path. */
function requestTarget(event: Event): string {
  if (event instanceof HttpEvent) return event.exchange.source.target.slice(0, 4_096)
  const kept = event.data?.['target']
  if (typeof kept === 'string') return kept
  const { path = '', query = '' } = event.request ?? {}
  return query === '' ? path : `${path}?${query}`
}

/** Keeps the last target: many rules ask for that of the same event. */
class DecodedTargets {
  #event: Event | undefined
  #text = ''

  of(event: Event): string {
    if (event !== this.#event) {
      this.#text = decode(requestTarget(event))
      this.#event = event
    }
    return this.#text
  }
}

const decodedTargets = new DecodedTargets()

/**
 * The target as a careless backend would read it: percent-decoded up to three times, `+` in the query as a
 * space, in lower case.
 */
export function decodedTarget(event: Event): string {
  return decodedTargets.of(event)
}

function decode(target: string): string {
  let text = target
  for (let i = 0; i < 3 && text.includes('%'); i++) {
    const next = text.replace(/%(?:u00)?([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    if (next === text) break
    text = next
  }
  // Only a query spells a space so; in a path it is a plus.
  const mark = text.indexOf('?')
  if (mark >= 0 && text.includes('+', mark))
    text = text.slice(0, mark) + text.slice(mark).replaceAll('+', ' ')
  return text.toLowerCase()
}

function agent(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.header('user-agent')?.slice(0, 256) : event.actor.agent
}

function referer(event: Event): string | undefined {
  if (event instanceof HttpEvent) return event.exchange.header('referer')?.slice(0, 1_024)
  const kept = event.data?.['referer']
  return typeof kept === 'string' ? kept : undefined
}

export function methodOf(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.method : event.request?.method
}

function path(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.path.canonical : event.request?.path
}

/**
 * As sent where that is known: making the masked form for every event would cost more than all rules
 * together.
 */
function query(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.path.query.slice(0, 2_048) : event.request?.query
}

function host(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.host.slice(0, 255) : event.request?.host
}

/** The client's address. Asked for every request, so the actor of the event is not put together for it. */
export function addressOf(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.client : event.actor.address
}

function network(event: Event): string | undefined {
  const text = addressOf(event)
  return text === undefined ? undefined : networkOf(text as Address, { v4: 24, v6: 48 })
}

function version(event: Event): string | undefined {
  if (event instanceof HttpEvent) return event.exchange.source.httpVersion
  const kept = event.data?.['httpVersion']
  return typeof kept === 'string' ? kept : undefined
}

/** Who acted. Asked for every request, so the actor of the event is not put together for it. */
export function principalOf(event: Event): string | undefined {
  if (!(event instanceof HttpEvent)) return event.actor.principal
  const { id } = event.exchange.principal
  return id === '' ? undefined : id
}

function user(event: Event): string | undefined {
  const principal = principalOf(event)
  if (principal !== undefined) return principal
  const kept = event.data?.['user'] ?? event.data?.['account']
  return typeof kept === 'string' ? kept : undefined
}

/** The API key that acted, by its id. */
function key(event: Event): string | undefined {
  if (event instanceof HttpEvent) {
    const { principal } = event.exchange
    return principal.kind === 'apiKey' ? principal.id : undefined
  }
  const kept = event.data?.['key']
  return typeof kept === 'string' ? kept : undefined
}

/** Keeps the last file: several rules ask for that of the same path. */
class FileNames {
  #path: string | undefined
  #file: string | undefined

  of(path: string | undefined): string | undefined {
    if (path !== this.#path) {
      this.#path = path
      this.#file = path?.slice(path.lastIndexOf('/') + 1)
    }
    return this.#file
  }
}

const fileNames = new FileNames()

/** The last segment of the path, without its query. */
function file(event: Event): string | undefined {
  return fileNames.of(path(event))
}

/**
 * Whoever is known most closely: the principal, else the address. A remediation of it hits as few others as
 * can be.
 */
function clientOf(event: Event): string | undefined {
  return principalOf(event) ?? addressOf(event)
}

/**
 * The status of the backend's answer. What Postern refused itself was never answered by it: rules about
 * missing pages must not see it.
 */
function status(event: Event): number | undefined {
  const { decision } = event
  return decision === undefined || decision === 'allow' ? event.outcome?.status : undefined
}

/**
 * What is known of the client of the event at hand. Of that one only: rules are asked about one event after
 * the other, and a `WeakMap` of events took longer than the rules.
 */
class NotedClient {
  #event: Event | undefined
  #credential: string | undefined
  #finds = false

  note(event: Event, credential: string | undefined, finds: boolean): void {
    this.#event = event
    this.#credential = credential
    this.#finds = finds
  }

  credentialOf(event: Event): string | undefined {
    return event === this.#event ? this.#credential : undefined
  }

  findsEnough(event: Event): boolean {
    return event === this.#event && this.#finds
  }
}

const client = new NotedClient()

/**
 * Notes what is known of an event's client, before rules ask for it: what its credential is worth
 * (`request.credential`), and whether it finds what it asks for (`actor.finds`).
 */
export function noteClient(event: Event, kind: string | undefined, finds: boolean): void {
  client.note(event, kind, finds)
}

/** `enough` while at least one of its client's targets was found for two that were missing or forbidden. */
function finds(event: Event): string | undefined {
  return client.findsEnough(event) ? 'enough' : undefined
}

/** How its client says who it is, where the backend takes that: `authorization`, `key` or `session`. */
function credential(event: Event): string | undefined {
  return client.credentialOf(event)
}

/** The names of the query's parameters, sorted; undefined where it has none. */
function parameters(event: Event): string | undefined {
  if (event instanceof HttpEvent) {
    const { knownTarget } = event.exchange
    if (knownTarget.parameters === null) knownTarget.parameters = parameterNames(query(event) ?? '')
    return knownTarget.parameters
  }
  const text = query(event)
  return text === undefined ? undefined : parameterNames(text)
}

const READERS: Readonly<Record<string, FieldReader>> = {
  type: event => event.type,
  action: event => event.action,
  decision: event => event.decision,
  observed: event => event.observed,
  guard: event => event.guard,
  rule: event => event.reasons?.map(reason => reason.rule),
  'resource.type': event => event.resource?.type,
  'resource.id': event => event.resource?.id,
  'actor.address': addressOf,
  'actor.network': network,
  'actor.principal': principalOf,
  'actor.client': clientOf,
  'actor.tenant': event =>
    event instanceof HttpEvent ? event.exchange.principal.tenant : event.actor.tenant,
  'actor.device': event => event.actor.device,
  'actor.key': key,
  'actor.agent': agent,
  'actor.user': user,
  'actor.finds': finds,
  'request.method': methodOf,
  'request.host': host,
  'request.path': path,
  'request.file': file,
  'request.query': query,
  'request.parameters': parameters,
  'request.credential': credential,
  'request.target': requestTarget,
  'request.decoded': decodedTarget,
  'request.route': event =>
    event instanceof HttpEvent ? event.exchange.route?.pattern : event.request?.route,
  'request.referer': referer,
  'request.version': version,
  'outcome.status': status,
  'outcome.bytes': event => event.outcome?.bytes,
  'outcome.duration': event => event.outcome?.duration,
  'outcome.rows': event => event.outcome?.rows,
  'outcome.aborted': event => event.outcome?.aborted,
  'time.hour': event => new Date(event.time).getUTCHours(),
  'time.weekday': event => new Date(event.time).getUTCDay(),
}

/** The names of Sigma's webserver and proxy categories, and what others commonly write, as ours. */
const ALIASES: Readonly<Record<string, string>> = {
  'c-ip': 'actor.address',
  src_ip: 'actor.address',
  SourceIP: 'actor.address',
  'c-net': 'actor.network',
  'c-useragent': 'actor.agent',
  'cs-user-agent': 'actor.agent',
  'cs(User-Agent)': 'actor.agent',
  'cs-username': 'actor.user',
  'cs-method': 'request.method',
  'cs-host': 'request.host',
  'r-dns': 'request.host',
  'cs-uri': 'request.target',
  'c-uri': 'request.target',
  'cs-uri-stem': 'request.path',
  'c-uri-stem': 'request.path',
  'cs-uri-query': 'request.query',
  'c-uri-query': 'request.query',
  'cs-referer': 'request.referer',
  'cs-referrer': 'request.referer',
  'cs(Referer)': 'request.referer',
  'cs-version': 'request.version',
  'sc-status': 'outcome.status',
  'sc-bytes': 'outcome.bytes',
  'time-taken': 'outcome.duration',
}

/**
 * Whom a remediation applies to: a kind of actor, or `client`, the narrowest that is known of principal and
 * address.
 */
export type ResponseActor = ActorKind | 'client'

/** Kinds of actor that a field names, so that a response can be held against its value. */
const ACTORS: Readonly<Record<string, ResponseActor>> = {
  'actor.client': 'client',
  'actor.address': 'address',
  'actor.network': 'network',
  'actor.principal': 'principal',
  'actor.tenant': 'tenant',
  'actor.device': 'device',
  'actor.key': 'key',
}

/** The name of Postern's own for a field; itself when it is one. */
export function ownName(name: string): string {
  return ALIASES[name] ?? name
}

/** The reader of a field, `data.*` included; undefined when Postern's events have no such field. */
export function fieldReader(name: string): FieldReader | undefined {
  const known = READERS[ownName(name)]
  if (known !== undefined) return known
  if (!name.startsWith('data.') || name.length < 6) return undefined
  const keys = name.slice(5).split('.')
  return event => readData(event, keys)
}

function readData(event: Event, keys: readonly string[]): FieldValue {
  let value: unknown = event.data
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  if (Array.isArray(value)) return value.filter(item => typeof item === 'string')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined
}

/** Fields that keyword searches look through. */
export const KEYWORD_FIELDS: readonly string[] = ['request.decoded', 'actor.agent', 'request.referer']

/** All names a rule may use, but `data.*`. */
export function fieldNames(): readonly string[] {
  return FIELD_NAMES
}

/** Put together once: every field of every rule is held against it. */
const FIELD_NAMES: readonly string[] = [...Object.keys(READERS), ...Object.keys(ALIASES)]

/** Which kind of actor a field names, if any. */
export function actorKindOf(field: string): ResponseActor | undefined {
  return ACTORS[ownName(field)]
}

const ACTOR_READERS: Readonly<Record<string, FieldReader | undefined>> = Object.fromEntries(
  Object.entries(ACTORS).map(([field, kind]) => [kind, READERS[field]]),
)

/** The actor of an event of that kind. */
export function actorOf(event: Event, kind: ResponseActor): Actor | undefined {
  if (kind === 'client') return actorOf(event, 'principal') ?? actorOf(event, 'address')
  const value = ACTOR_READERS[kind]?.(event)
  return typeof value === 'string' && value !== '' ? { kind, value } : undefined
}

/** The id of the request an event belongs to. */
export function requestIdOf(event: Event): string | undefined {
  return event instanceof HttpEvent ? event.exchange.id : event.request?.id
}
