import { canonicalJson } from '@postern/core'
import { type SigningKey, verifyBytes } from '../primitive/ed25519.ts'
import type { Identities, IdentityFault } from './identity-statement.ts'
import { joinSigned, parseSigned, signText } from './signed-text.ts'

/** A row, and which of its columns, that a capability names. */
export interface NamedRecord {
  readonly tenant: string
  readonly table: string
  readonly row: readonly string[]
  readonly columns: readonly string[]
}

/** What a capability may be used for. */
export type CapabilityAction = 'open' | 'search'

/** A right to open named records once, through one service, within five minutes. */
export interface Capability {
  readonly action: CapabilityAction
  /** The service that may present it. */
  readonly service: string
  readonly records: readonly NamedRecord[]
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** 16 random bytes, base64url: a holder takes each capability once. */
  readonly nonce: string
  /** The signed statement of whose key signs this. */
  readonly identity: string
}

/** Longest life of a capability, milliseconds. */
export const MAX_LIFETIME_MS: number = 300_000
/** How far a clock may be ahead. */
const SKEW_MS = 10_000
/** Rows one capability may name. */
const MAX_NAMED_ROWS = 1_000

const CAPABILITY_LABEL = 'postern vault capability 1\n'

/** Signs a capability with the key that its identity names. */
export function signCapability(key: SigningKey, capability: Capability): string {
  return signText(key, CAPABILITY_LABEL, {
    ...capability,
    records: capability.records.map(record => ({ ...record })),
  })
}

/**
 * The bytes a browser signs (WebCrypto `Ed25519`) to make a capability, and how the signature is attached.
 */
export function capabilityToSign(capability: Capability): {
  readonly bytes: Uint8Array
  attach(signature: Uint8Array): string
} {
  const body = canonicalJson({ ...capability, records: capability.records.map(record => ({ ...record })) })
  return {
    bytes: Buffer.from(CAPABILITY_LABEL + body),
    attach: signature => joinSigned(body, signature),
  }
}

/** Why a capability is not taken: a word for the log, never for the one who presented it. */
export type CapabilityFault = IdentityFault | 'signature' | 'expired' | 'lifetime' | 'service' | 'action'

/** A capability that holds: whose it is, and what it names. */
export interface VerifiedCapability {
  readonly actor: string
  readonly nonce: string
  readonly expiresAt: number
  readonly records: readonly NamedRecord[]
}

/** What a capability must hold against. */
export interface CapabilityCheck {
  readonly identities: Identities
  readonly service: string
  readonly action: CapabilityAction
  readonly now: number
}

/** Verifies all but that it is used for the first time, which the holder remembers. */
export function verifyCapability(text: string, check: CapabilityCheck): VerifiedCapability | CapabilityFault {
  const capability = parseSigned(text)
  if (capability === undefined) return 'malformed'
  const { body } = capability
  const { action, service, records, issuedAt, expiresAt, nonce, identity } = body
  if (
    typeof issuedAt !== 'number' ||
    typeof expiresAt !== 'number' ||
    typeof nonce !== 'string' ||
    !/^[A-Za-z0-9_-]{22}$/.test(nonce) ||
    typeof identity !== 'string'
  )
    return 'malformed'
  const named = parseRecords(records)
  if (named === undefined) return 'malformed'
  const person = check.identities.verify(identity, check.now)
  if (typeof person === 'string') return person
  if (!verifyBytes(person.key, Buffer.from(CAPABILITY_LABEL + capability.json), capability.signature))
    return 'signature'
  if (expiresAt <= check.now || issuedAt > check.now + SKEW_MS) return 'expired'
  if (expiresAt - issuedAt > MAX_LIFETIME_MS || expiresAt > check.now + MAX_LIFETIME_MS + SKEW_MS)
    return 'lifetime'
  if (service !== check.service) return 'service'
  if (action !== check.action) return 'action'
  return { actor: person.actor, nonce, expiresAt, records: named }
}

/**
 * Whether a capability names a value. Looked up, not searched for: a thousand records that are asked for and
 * a thousand that are named would hold up everybody else's requests.
 */
export function namedIn(
  records: readonly NamedRecord[],
): (tenant: string, table: string, column: string, row: readonly string[]) => boolean {
  const columnsOf = new Map<string, Set<string>>()
  for (const { tenant, table, row, columns } of records) {
    const name = JSON.stringify([tenant, table, row])
    const known = columnsOf.get(name)
    if (known === undefined) columnsOf.set(name, new Set(columns))
    else for (const column of columns) known.add(column)
  }
  return (tenant, table, column, row) =>
    columnsOf.get(JSON.stringify([tenant, table, row]))?.has(column) === true
}

function parseRecords(value: unknown): readonly NamedRecord[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_NAMED_ROWS) return undefined
  const named: NamedRecord[] = []
  for (const item of value as readonly unknown[]) {
    if (typeof item !== 'object' || item === null) return undefined
    const { tenant, table, row, columns } = item as Readonly<Record<string, unknown>>
    if (typeof tenant !== 'string' || typeof table !== 'string' || !isTexts(row) || !isTexts(columns))
      return undefined
    named.push({ tenant, table, row, columns })
  }
  return named
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 64 && value.every(part => typeof part === 'string')
}
