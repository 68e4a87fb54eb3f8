import { canonicalJson, type Json } from '@postern/core'
import { publicKeyOf, type SigningKey, signBytes, verifyBytes } from '../primitive/ed25519.ts'

/** A row, and which of its columns, that a capability names. */
export interface NamedRecord {
  readonly tenant: string
  readonly table: string
  readonly row: readonly string[]
  readonly columns: readonly string[]
}

/** What a capability may be used for. */
export type CapabilityAction = 'open' | 'search'

/**
 * Who somebody is, for a while: a public key, and that it is this person's. Signed by an enroller, whom the
 * holders know; the application's identity provider, or a session that a person began.
 */
export interface IdentityStatement {
  readonly actor: string
  /** Ed25519 public key of the person or of the session, base64url. */
  readonly key: string
  /** Epoch milliseconds. */
  readonly notAfter: number
}

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

/** Longest life of a capability. */
const MAX_LIFETIME_MS = 300_000
/** How far a clock may be ahead. */
const SKEW_MS = 10_000
/** Rows one capability may name. */
const MAX_NAMED_ROWS = 1_000
const MAX_TEXT = 1_000_000

const IDENTITY_LABEL = 'postern vault identity 1\n'
const CAPABILITY_LABEL = 'postern vault capability 1\n'

/** Signs that a key is a person's, until a time. */
export function signIdentity(enroller: SigningKey, statement: IdentityStatement): string {
  return signText(enroller, IDENTITY_LABEL, { ...statement })
}

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
    attach: signature => joined(body, signature),
  }
}

/** Why a capability is not taken: a word for the log, never for the one who presented it. */
export type CapabilityFault =
  | 'malformed'
  | 'identity'
  | 'identity expired'
  | 'signature'
  | 'expired'
  | 'lifetime'
  | 'service'
  | 'action'

/** A capability that holds: whose it is, and what it names. */
export interface VerifiedCapability {
  readonly actor: string
  readonly nonce: string
  readonly expiresAt: number
  readonly records: readonly NamedRecord[]
}

/** What a capability must hold against. */
export interface CapabilityCheck {
  /** Public keys of enrollers, base64url. */
  readonly enrollers: ReadonlySet<string>
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
  const person = verifyIdentity(identity, check)
  if (typeof person === 'string') return person
  if (
    !verifyBytes(
      publicKeyOf(fromBase64(person.key)),
      bytesOf(CAPABILITY_LABEL, capability),
      capability.signature,
    )
  )
    return 'signature'
  if (expiresAt <= check.now || issuedAt > check.now + SKEW_MS) return 'expired'
  if (expiresAt - issuedAt > MAX_LIFETIME_MS || expiresAt > check.now + MAX_LIFETIME_MS + SKEW_MS)
    return 'lifetime'
  if (service !== check.service) return 'service'
  if (action !== check.action) return 'action'
  return { actor: person.actor, nonce, expiresAt, records: named }
}

/** Whether a capability names this value. */
export function names(
  records: readonly NamedRecord[],
  tenant: string,
  table: string,
  column: string,
  row: readonly string[],
): boolean {
  return records.some(
    named =>
      named.tenant === tenant &&
      named.table === table &&
      named.columns.includes(column) &&
      named.row.length === row.length &&
      named.row.every((part, index) => part === row[index]),
  )
}

function verifyIdentity(
  text: string,
  { enrollers, now }: CapabilityCheck,
): { readonly actor: string; readonly key: string } | 'malformed' | 'identity' | 'identity expired' {
  const statement = parseSigned(text)
  if (statement === undefined) return 'malformed'
  const { actor, key, notAfter } = statement.body
  if (
    typeof actor !== 'string' ||
    actor === '' ||
    actor.length > 256 ||
    typeof key !== 'string' ||
    fromBase64(key).length !== 32 ||
    typeof notAfter !== 'number'
  )
    return 'malformed'
  const bytes = bytesOf(IDENTITY_LABEL, statement)
  const signed = [...enrollers].some(enroller =>
    verifyBytes(publicKeyOf(fromBase64(enroller)), bytes, statement.signature),
  )
  if (!signed) return 'identity'
  return notAfter <= now ? 'identity expired' : { actor, key }
}

interface Signed {
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
  readonly signature: Uint8Array
}

function signText(key: SigningKey, label: string, body: { readonly [key: string]: Json }): string {
  const text = canonicalJson(body)
  return joined(text, signBytes(key, Buffer.from(label + text)))
}

function joined(body: string, signature: Uint8Array): string {
  return `${Buffer.from(body).toString('base64url')}.${Buffer.from(signature).toString('base64url')}`
}

/** Body and signature; the signature is over the text as it came, and the text is one JSON object. */
function parseSigned(text: string): Signed | undefined {
  if (text.length > MAX_TEXT) return undefined
  const dot = text.indexOf('.')
  if (dot < 0 || text.indexOf('.', dot + 1) >= 0) return undefined
  const json = fromBase64(text.slice(0, dot)).toString()
  const signature = fromBase64(text.slice(dot + 1))
  try {
    const body: unknown = JSON.parse(json)
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
    return { text: json, body: body as Readonly<Record<string, unknown>>, signature }
  } catch {
    return undefined
  }
}

function bytesOf(label: string, { text }: Signed): Buffer {
  return Buffer.from(label + text)
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

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}
