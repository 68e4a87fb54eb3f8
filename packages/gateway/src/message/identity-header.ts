import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  type Clock,
  ConfigError,
  CredentialError,
  type Exchange,
  givenText,
  systemClock,
} from '@postern/core'

/** Name of the header by which the gateway vouches for a request. */
export const IDENTITY_HEADER = 'X-Postern-Identity'

const MIN_KEY_BYTES = 32
const MAX_HEADER = 8_192

/** What the gateway vouches for: this request, from this address, was made by this principal. */
export interface VouchedIdentity {
  /** Also in `X-Request-Id`. */
  readonly requestId: string
  /** Address of the client, canonical, behind trusted proxies. */
  readonly client: string
  /** When the gateway signed, epoch milliseconds. */
  readonly signedAt: number
  readonly method: string
  readonly principal: {
    readonly kind: string
    /** Empty for an anonymous client. */
    readonly id: string
    readonly tenant?: string
    readonly roles?: readonly string[]
    readonly scopes?: readonly string[]
  }
}

/** A key of at least 32 bytes: as bytes, or as text whose UTF-8 bytes count. */
export type SigningKey = string | Uint8Array

const MAKE_KEY = 'make one with: openssl rand -base64 32'

/** @throws ConfigError for a key that is not set, or has less than 32 bytes */
export function parseSigningKey(key: SigningKey, place = 'signingKey'): KeyObject {
  const bytes = Buffer.from(key instanceof Uint8Array ? key : givenText(key, place, MAKE_KEY))
  if (bytes.length >= MIN_KEY_BYTES) return createSecretKey(bytes)
  throw new ConfigError({
    place,
    problem: `a signing key needs at least ${MIN_KEY_BYTES} bytes, this one has ${bytes.length}`,
    hint: MAKE_KEY,
  })
}

/** Value of the identity header: `v1.` payload `.` HMAC-SHA256 over both, each in base64url. */
export function signIdentity(exchange: Exchange, key: KeyObject): string {
  const { kind, id, tenant, roles, scopes } = exchange.principal
  const vouched: VouchedIdentity = {
    requestId: exchange.id,
    client: exchange.client,
    signedAt: Math.floor(exchange.time),
    method: exchange.method,
    principal: {
      kind,
      id,
      ...(tenant !== undefined && { tenant }),
      ...(roles !== undefined && { roles }),
      ...(scopes !== undefined && { scopes }),
    },
  }
  const signed = `v1.${Buffer.from(JSON.stringify(vouched)).toString('base64url')}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

/** The key of the gateway, the request that is vouched for, and how old the statement may be. */
export interface VerifyIdentityOptions {
  /** The gateway's key; several while one replaces another. */
  readonly key: SigningKey | readonly SigningKey[]
  /**
   * Value of `X-Request-Id` on the same request, as Node has it: a header moved to another request is
   * refused.
   */
  readonly requestId: string | readonly string[] | undefined
  /** Milliseconds after which a signature is too old. Default: 60,000. */
  readonly maxAge?: number
  readonly clock?: Clock
}

/**
 * For backends: what the gateway vouches for.
 *
 * ```ts
 * const requestId = request.headers['x-request-id']
 * const who = verifyIdentity(request.headers['x-postern-identity'], { key, requestId })
 * ```
 * @throws CredentialError when the header is missing, was not signed by the gateway, is too old, or belongs
 * to another request
 * @throws ConfigError for a key that is not set, or has less than 32 bytes
 */
export function verifyIdentity(
  header: string | readonly string[] | undefined,
  options: VerifyIdentityOptions,
): VouchedIdentity {
  const { key, requestId, maxAge = 60_000, clock = systemClock } = options
  const keys = Array.isArray(key) ? (key as readonly SigningKey[]) : [key as SigningKey]
  // A list is what Node makes of some headers that were sent twice: never the one that the gateway sent.
  const parts = typeof header !== 'string' || header.length > MAX_HEADER ? [] : header.split('.')
  const [version, payload, signature] = parts
  if (parts.length === 3 && version === 'v1' && payload !== undefined && signature !== undefined) {
    const given = Buffer.from(signature, 'base64url')
    const signed = `v1.${payload}`
    // Every key is tried: which one fits must not show in the time taken.
    const genuine = keys
      .map(candidate => createHmac('sha256', parseSigningKey(candidate)).update(signed).digest())
      .filter(expected => expected.length === given.length && timingSafeEqual(expected, given))
    if (genuine.length > 0) {
      const vouched = JSON.parse(Buffer.from(payload, 'base64url').toString()) as VouchedIdentity
      const age = clock.now() - vouched.signedAt
      if (vouched.requestId === requestId && age <= maxAge && age >= -maxAge) return vouched
    }
  }
  throw new CredentialError('the request does not carry a valid identity signed by the gateway')
}
