import { warnOfPrincipal } from './principal-mistakes.ts'

/**
 * Who acts.
 * @example
 * ```ts
 * import type { Principal } from 'postern'
 *
 * export const ann: Principal = { kind: 'user', id: 'ann', tenant: 'acme', roles: ['support'] }
 * ```
 */
export interface Principal {
  readonly kind: 'anonymous' | 'user' | 'service' | 'apiKey'
  /** Stable id; empty for an anonymous client. */
  readonly id: string
  readonly tenant?: string
  readonly roles?: readonly string[]
  readonly scopes?: readonly string[]
  /** Name of the customer's plan, for limits that differ by it. */
  readonly plan?: string
  /** When the principal last proved who they are, epoch milliseconds. */
  readonly authenticatedAt?: number
  /** How they proved it (RFC 8176). */
  readonly amr?: readonly string[]
  /** The principal really acting, when this one is impersonated. */
  readonly actor?: string
  /**
   * Who made the credential of a service, and so may hold it: `user:ann`. They approve nothing that it asks.
   */
  readonly issuedBy?: string
}

/** An unidentified client. */
export const ANONYMOUS: Principal = Object.freeze({ kind: 'anonymous', id: '' })

const KINDS: ReadonlySet<unknown> = new Set<Principal['kind']>(['anonymous', 'user', 'service', 'apiKey'])
const LONGEST = 256
const NAME = `must be text of 1 to ${LONGEST} characters, without NUL and halves of surrogate pairs`
const LISTS = ['roles', 'scopes', 'amr'] as const
const TEXTS = 'of a principal must be a list of texts, such as ["admin"], or absent'

/**
 * Validates a principal that an application supplied, so that limits, bans and the log can rely
 * on it; undefined and null are anonymous.
 * @throws TypeError naming the field that cannot be used, never its value
 */
export function checkedPrincipal(said: unknown): Principal {
  if (said === undefined || said === null) return ANONYMOUS
  if (typeof said !== 'object') throw new TypeError(`a principal is an object, not a ${typeof said}`)
  const { kind, id, tenant } = said as Readonly<Record<string, unknown>>
  if (!KINDS.has(kind))
    throw new TypeError('kind of a principal must be "user", "service", "apiKey" or "anonymous"')
  if (kind === 'anonymous') return ANONYMOUS
  if (!isName(id)) throw new TypeError(`id of a principal ${NAME}`)
  if (tenant !== undefined && !isName(tenant)) throw new TypeError(`tenant of a principal ${NAME}, or absent`)
  for (const field of LISTS) if (!isTextsOrAbsent(said, field)) throw new TypeError(`${field} ${TEXTS}`)
  const { authenticatedAt } = said as Readonly<Record<string, unknown>>
  if (authenticatedAt !== undefined && authenticatedAt !== null && !Number.isFinite(authenticatedAt))
    throw new TypeError(
      'authenticatedAt of a principal must be epoch milliseconds, as of Date.now(), or absent',
    )
  warnOfPrincipal(said)
  return said as Principal
}

/**
 * Whether a field is a list of texts, or absent. In a text, `includes` finds parts: `superadmin` would have
 * the role `admin`, and `orders:read-own` the scope `orders:read`.
 */
function isTextsOrAbsent(said: object, field: (typeof LISTS)[number]): boolean {
  const value = (said as Readonly<Record<string, unknown>>)[field]
  // A column of a database without a value.
  if (value === undefined || value === null) return true
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

/** Whether two principals are the same to limits, bans and the log. */
export function isSamePrincipal(a: Principal, b: Principal): boolean {
  return a.kind === b.kind && a.id === b.id && a.tenant === b.tenant
}

/** Stores write half a surrogate pair as U+FFFD, whatever it was: two principals would be one to them. */
function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST) return false
  return value.isWellFormed() && !value.includes('\0')
}
