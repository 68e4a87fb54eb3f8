import type { Event, EventRequest, Evidence, Json, Reason } from '@postern/core'
import { IntegrityError } from '@postern/core'

/**
 * The sealed part of an event: everything that identifies a person or that they sent. The rest
 * says what was done, and stays readable.
 */
export interface PersonalPart {
  readonly actor?: {
    readonly address?: string
    readonly principal?: string
    readonly device?: string
    readonly agent?: string
  }
  /** `Host` as the client sent it: it may hold a user name and a password. */
  readonly host?: string
  /** A method that is not one of the registered ones. */
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly data?: { readonly [key: string]: Json }
  /** Evidence of each reason, in order. */
  readonly evidence?: readonly (Evidence | null)[]
  /** The exception of each reason, in order: it names paths and parameters as the client sent them. */
  readonly exceptions?: readonly (Reason['exception'] | null)[]
}

/** Methods that reveal nothing about a person. Any other word in this place is the client's own. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
])
/** Replaces a sealed method in a leaf. */
const SEALED_METHOD = 'OTHER'

/** Personal data in a leaf, encrypted under a key of its subject: erasing the key erases the data. */
export interface Sealed {
  /** Random id of the subject's key, hex. */
  readonly key: string
  /** base64 of nonce, ciphertext and tag. */
  readonly box: string
}

/** The JSON of a leaf, version 1. */
export interface Leaf {
  readonly v: 1
  /** Number in the log, from 0. */
  readonly index: number
  readonly tenant: string
  /** Number among the tenant's entries, from 1, without gaps. */
  readonly number: number
  /** The event without its personal part. */
  readonly event: Event
  readonly sealed?: Sealed
}

/** One log entry, as readers receive it. */
export interface Entry {
  readonly index: bigint
  /** Empty for events of no tenant. */
  readonly tenant: string
  /** Number among the tenant's entries, from 1, without gaps. */
  readonly number: number
  /** The event; without its personal part when `personal` is `erased`. */
  readonly event: Event
  /** `none`: nothing was sealed. `open`: unsealed. `erased`: the key was destroyed, or is not available. */
  readonly personal: 'none' | 'open' | 'erased'
  /** RFC 6962 leaf hash, hex. */
  readonly leafHash: string
  /** The entry's bytes, as in its bundle. */
  readonly bytes: Uint8Array
}

/** The bytes of a leaf. */
export function encodeLeaf(leaf: Leaf): Buffer {
  return Buffer.from(JSON.stringify(leaf))
}

/**
 * Reads the leaf at `index`.
 * @throws IntegrityError when it is not a leaf, or belongs to another index
 */
export function decodeLeaf(bytes: Uint8Array, index: number): Leaf {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } catch {
    throw new IntegrityError(`entry ${index} is not JSON`)
  }
  if (!isLeaf(value)) throw new IntegrityError(`entry ${index} is not a leaf of version 1`)
  if (value.index !== index) throw new IntegrityError(`entry ${index} claims to be entry ${value.index}`)
  return value
}

function isLeaf(value: unknown): value is Leaf {
  if (typeof value !== 'object' || value === null) return false
  const leaf = value as Readonly<Record<string, unknown>>
  const event = leaf['event'] as Readonly<Record<string, unknown>> | null
  return (
    leaf['v'] === 1 &&
    Number.isSafeInteger(leaf['index']) &&
    Number.isSafeInteger(leaf['number']) &&
    typeof leaf['tenant'] === 'string' &&
    typeof event === 'object' &&
    event !== null &&
    typeof event['type'] === 'string' &&
    typeof event['actor'] === 'object' &&
    event['actor'] !== null
  )
}

/** The subject of an event: its personal part is sealed with the subject's key. */
export interface Subject {
  readonly tenant: string
  /** Principal; absent for anonymous traffic, which is sealed under one key per day. */
  readonly principal?: string
  /** Day of an anonymous event, `2026-11-23` (UTC). */
  readonly day?: string
}

/** The name of a subject in the key store; different subjects have different names. */
export function subjectName({ tenant, principal, day }: Subject): string {
  return JSON.stringify(principal === undefined ? ['day', day ?? ''] : ['principal', tenant, principal])
}

/** An event split into its readable part, its sealed part, and the subject. */
export interface SplitEvent {
  readonly open: Event
  readonly personal?: PersonalPart
  readonly subject?: Subject
}

/**
 * Splits an event. One without principal, address, device, agent and request has nothing personal. A request
 * is sealed even when nothing says whose it is, as behind a Unix socket: its path and query were sent by
 * somebody.
 */
export function splitEvent(event: Event): SplitEvent {
  const { tenant, ...who } = event.actor
  if (Object.keys(who).length === 0 && event.request === undefined) return { open: event }
  const { actor: _actor, request, reasons, data, ...rest } = event
  const open: Event = {
    ...rest,
    actor: tenant === undefined ? {} : { tenant },
    ...(request !== undefined && { request: openRequest(request) }),
    ...(reasons !== undefined && {
      reasons: reasons.map(({ evidence: _evidence, exception: _exception, ...reason }) => reason),
    }),
  }
  const evidence = reasons?.map(reason => reason.evidence ?? null)
  const exceptions = reasons?.map(reason => reason.exception ?? null)
  const personal: PersonalPart = {
    actor: who,
    ...(request !== undefined && sealedRequest(request)),
    ...(data !== undefined && { data }),
    ...(evidence?.some(found => found !== null) === true && { evidence }),
    ...(exceptions?.some(found => found !== null) === true && { exceptions }),
  }
  return { open, personal, subject: subjectOf(event) }
}

/** The subject whose key seals what is personal in an event. */
export function subjectOf({ actor, time }: Pick<Event, 'actor' | 'time'>): Subject {
  const { tenant = '', principal } = actor
  return principal === undefined ? { tenant, day: dayOf(time) } : { tenant, principal }
}

/**
 * Of a request: its id and the pattern of its route, which the configuration chose,
 * and a method that the standard chose.
 */
function openRequest(request: EventRequest): EventRequest {
  const method = METHODS.has(request.method) ? request.method : SEALED_METHOD
  return { ...request, method, host: '', path: '', query: '' }
}

function sealedRequest({ method, host, path, query }: EventRequest): PersonalPart {
  return { host, path, query, ...(!METHODS.has(method) && { method }) }
}

/**
 * The whole event again. Leaves written before host, method and exceptions were
 * sealed have them in the open part.
 */
export function joinEvent(open: Event, personal: PersonalPart): Event {
  const { actor, data } = personal
  return {
    ...open,
    actor: { ...actor, ...open.actor },
    ...(open.request !== undefined && { request: joinRequest(open.request, personal) }),
    ...(open.reasons !== undefined && { reasons: joinReasons(open.reasons, personal) }),
    ...(data !== undefined && { data }),
  }
}

function joinRequest(open: EventRequest, personal: PersonalPart): EventRequest {
  const { host, method, path, query } = personal
  return {
    ...open,
    host: host ?? open.host,
    method: method ?? open.method,
    path: path ?? '',
    query: query ?? '',
  }
}

function joinReasons(open: readonly Reason[], { evidence, exceptions }: PersonalPart): readonly Reason[] {
  return open.map((reason, i) => {
    const found = evidence?.[i] ?? null
    const exception = exceptions?.[i] ?? null
    return {
      ...reason,
      ...(found !== null && { evidence: found }),
      ...(exception !== null && { exception }),
    }
  })
}

/** 9999-12-31, so that a year has four digits. */
const LAST_DAY = 253_402_300_799_999

function dayOf(time: number): string {
  const bounded = Number.isFinite(time) ? Math.min(Math.max(time, 0), LAST_DAY) : 0
  return new Date(bounded).toISOString().slice(0, 10)
}
