import type { Event, Evidence, Json } from '@postern/core'
import { IntegrityError } from '@postern/core'

/** What of an event is sealed: all that says who a person is or what they sent. The rest says what was done, and stays readable. */
export interface PersonalPart {
  readonly actor?: {
    readonly address?: string
    readonly principal?: string
    readonly device?: string
    readonly agent?: string
  }
  readonly path?: string
  readonly query?: string
  readonly data?: { readonly [key: string]: Json }
  /** Evidence of each reason, in order. */
  readonly evidence?: readonly (Evidence | null)[]
}

/** Ciphertext in a leaf. */
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

/** One audit record, as it is given out. */
export interface Entry {
  readonly index: bigint
  /** Empty for events of no tenant. */
  readonly tenant: string
  /** Number among the tenant's entries, from 1, without gaps. */
  readonly number: number
  /** The event; without its personal part when `personal` is `erased`. */
  readonly event: Event
  /** `none`: nothing was sealed. `open`: unsealed. `erased`: the key is gone, or not at hand. */
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
 * Reads a leaf that stands at `index`.
 * @throws IntegrityError when it is none, or one of another place
 */
export function decodeLeaf(bytes: Uint8Array, index: number): Leaf {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } catch {
    throw new IntegrityError(`entry ${index} is not JSON`)
  }
  if (!isLeaf(value)) throw new IntegrityError(`entry ${index} is not a leaf of version 1`)
  if (value.index !== index)
    throw new IntegrityError(`entry ${index} says of itself that it is entry ${value.index}`)
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

/** Whom an event is about: whose key its personal part is sealed under. */
export interface Subject {
  readonly tenant: string
  /** Principal; absent for anonymous traffic, which is sealed under one key a day. */
  readonly principal?: string
  /** Day of an anonymous event, `2026-11-23` (UTC). */
  readonly day?: string
}

/** The name of a subject in the key store; different subjects have different names. */
export function subjectName({ tenant, principal, day }: Subject): string {
  return JSON.stringify(principal === undefined ? ['day', day ?? ''] : ['principal', tenant, principal])
}

/** An event taken apart: what stays readable, what is sealed, and for whom. */
export interface SplitEvent {
  readonly open: Event
  readonly personal?: PersonalPart
  readonly subject?: Subject
}

/** Takes an event apart. One without principal, address, device or agent has nothing personal. */
export function splitEvent(event: Event): SplitEvent {
  const { tenant, ...who } = event.actor
  if (Object.keys(who).length === 0) return { open: event }
  const { actor: _actor, request, reasons, data, ...rest } = event
  const open: Event = {
    ...rest,
    actor: tenant === undefined ? {} : { tenant },
    ...(request !== undefined && { request: { ...request, path: '', query: '' } }),
    ...(reasons !== undefined && { reasons: reasons.map(({ evidence: _evidence, ...reason }) => reason) }),
  }
  const evidence = reasons?.map(reason => reason.evidence ?? null)
  const personal: PersonalPart = {
    actor: who,
    ...(request !== undefined && { path: request.path, query: request.query }),
    ...(data !== undefined && { data }),
    ...(evidence?.some(found => found !== null) === true && { evidence }),
  }
  const subject: Subject =
    who.principal === undefined
      ? { tenant: tenant ?? '', day: dayOf(event.time) }
      : { tenant: tenant ?? '', principal: who.principal }
  return { open, personal, subject }
}

/** The whole event again. */
export function joinEvent(open: Event, personal: PersonalPart): Event {
  const { actor, path, query, data, evidence } = personal
  return {
    ...open,
    actor: { ...actor, ...open.actor },
    ...(open.request !== undefined && {
      request: { ...open.request, path: path ?? '', query: query ?? '' },
    }),
    ...(open.reasons !== undefined && {
      reasons: open.reasons.map((reason, i) => {
        const found = evidence?.[i] ?? null
        return found === null ? reason : { ...reason, evidence: found }
      }),
    }),
    ...(data !== undefined && { data }),
  }
}

/** 9999-12-31, so that a year has four digits. */
const LAST_DAY = 253_402_300_799_999

function dayOf(time: number): string {
  const bounded = Number.isFinite(time) ? Math.min(Math.max(time, 0), LAST_DAY) : 0
  return new Date(bounded).toISOString().slice(0, 10)
}
