import { Buffer } from 'node:buffer'
import type { RecordContext } from '../record/record-context.ts'
import { CONTRIBUTION_BYTES, type Contribution } from '../split/contribution.ts'
import { type OpenBatch, unpackOpenings } from '../split/open-batch.ts'
import { HOLDERS, type HolderId } from '../split/part.ts'

/** Records in one request. */
const MAX_BATCH = 1_000
/** Contributions in one request. */
const MAX_NONCES = 4_096

/** A record to seal: where it will live, and what goes into its salt. */
export interface SealItem {
  readonly context: RecordContext
  readonly contributions: readonly Contribution[]
}

/** What a service may ask of a holder. */
export type ServiceRequest =
  | { readonly op: 'nonces'; readonly count: number }
  | { readonly op: 'seal'; readonly epoch: number; readonly items: readonly SealItem[] }
  | { readonly op: 'open'; readonly batch: OpenBatch; readonly capability?: string }
  | {
      readonly op: 'term'
      readonly tenant: string
      readonly table: string
      readonly column: string
      readonly epoch: number
      /** Blinded by the application's own key: 32 bytes each. */
      readonly digests: readonly Uint8Array[]
      /** Terms that are stored beside a sealed value, rather than searched for. */
      readonly purpose: 'store' | 'search'
    }
  | { readonly op: 'harden'; readonly user: string; readonly epoch: number; readonly blinded: Uint8Array }
  | { readonly op: 'ping' }

/**
 * Parses what a service sent.
 * @returns a sentence naming the field, when it is not a request. Never the field's value
 */
export function parseServiceRequest(body: unknown): ServiceRequest | string {
  if (!isObject(body)) return 'the request is not an object'
  switch (body['op']) {
    case 'ping':
      return { op: 'ping' }
    case 'nonces':
      return isCount(body['count'], MAX_NONCES)
        ? { op: 'nonces', count: body['count'] }
        : `count: 1 to ${MAX_NONCES}`
    case 'seal':
      return parseSeal(body)
    case 'open':
      return parseOpen(body)
    case 'term':
      return parseTerm(body)
    case 'harden': {
      const { user, epoch } = body
      const blinded = bytes(body['blinded'], 32)
      if (!isText(user) || user === '' || !isEpoch(epoch) || blinded === undefined)
        return 'harden: user, epoch and 32 bytes of blinded are needed'
      return { op: 'harden', user, epoch, blinded }
    }
    default:
      return 'op: not one of ping, nonces, seal, open, term, harden'
  }
}

function parseSeal(body: Readonly<Record<string, unknown>>): ServiceRequest | string {
  if (!isEpoch(body['epoch'])) return 'epoch: 0 to 255'
  const list = batch(body['items'])
  if (list === undefined) return `items: 1 to ${MAX_BATCH}`
  const items: SealItem[] = []
  for (const item of list) {
    const context = isObject(item) ? parseContext(item['context']) : undefined
    const contributions = isObject(item) ? parseContributions(item['contributions']) : undefined
    if (context === undefined || contributions === undefined)
      return 'items: each needs a context and contributions'
    items.push({ context, contributions })
  }
  return { op: 'seal', epoch: body['epoch'], items }
}

function parseOpen(body: Readonly<Record<string, unknown>>): ServiceRequest | string {
  const { items, capability } = body
  const opened = typeof items === 'string' ? unpackOpenings(items, MAX_BATCH) : undefined
  if (opened === undefined) return `items: 1 to ${MAX_BATCH} records, packed`
  if (capability === undefined) return { op: 'open', batch: opened }
  return typeof capability === 'string'
    ? { op: 'open', batch: opened, capability }
    : 'capability: must be text'
}

function parseTerm(body: Readonly<Record<string, unknown>>): ServiceRequest | string {
  const { tenant, table, column, epoch, purpose } = body
  if (!isText(tenant) || !isText(table) || !isText(column) || !isEpoch(epoch))
    return 'term: tenant, table, column and epoch are needed'
  if (purpose !== 'store' && purpose !== 'search') return 'purpose: store or search'
  const digests: Uint8Array[] = []
  for (const item of batch(body['digests']) ?? []) {
    const digest = bytes(item, 32)
    if (digest === undefined) return 'digests: 32 bytes each'
    digests.push(digest)
  }
  return digests.length === 0
    ? `digests: 1 to ${MAX_BATCH}`
    : { op: 'term', tenant, table, column, epoch, digests, purpose }
}

/** A place that came in a message; undefined when it is malformed. */
export function parseContext(value: unknown): RecordContext | undefined {
  if (!isObject(value)) return undefined
  const { tenant, table, column, row, version } = value
  if (!isText(tenant) || !isText(table) || !isText(column) || !Array.isArray(row)) return undefined
  if (row.length === 0 || row.length > 16 || !row.every(isText)) return undefined
  if (!Number.isSafeInteger(version) || (version as number) < 0) return undefined
  return { tenant, table, column, row: row as readonly string[], version: version as number }
}

/** Two or three, of different holders, in their order. */
function parseContributions(value: unknown): readonly Contribution[] | undefined {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return undefined
  const contributions: Contribution[] = []
  for (const item of value as readonly unknown[]) {
    if (!isObject(item)) return undefined
    const holder = HOLDERS.find(id => id === item['holder'])
    const nonce = bytes(item['nonce'], CONTRIBUTION_BYTES)
    if (holder === undefined || nonce === undefined) return undefined
    if (holder <= (contributions.at(-1)?.holder ?? 0)) return undefined
    contributions.push({ holder, nonce })
  }
  return contributions
}

/** A number of a holder, or undefined. */
export function holderIdOf(value: unknown): HolderId | undefined {
  return HOLDERS.find(id => id === value)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Bytes of exactly this length from base64url text. */
export function bytes(value: unknown, length: number): Buffer | undefined {
  if (typeof value !== 'string' || value.length !== Math.ceil((length * 4) / 3)) return undefined
  const decoded = Buffer.from(value, 'base64url')
  return decoded.length === length ? decoded : undefined
}

export function isEpoch(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 1_024
}

function batch(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length >= 1 && value.length <= MAX_BATCH ? value : undefined
}

/** Whether something names a person or a service. */
export function isActor(value: unknown): value is string {
  return typeof value === 'string' && /^(?:person|service) .{1,256}$/s.test(value)
}
