import type { Principal } from '@postern/core'
import type { Claims } from './claims.ts'

/**
 * Where the parts of a principal are in the claims; paths with dots: `realm_access.roles`. A claim
 * name with dots in it is tried whole first.
 */
export interface PrincipalClaims {
  /** Default: `sub`. */
  readonly id?: string
  readonly roles?: string
  readonly tenant?: string
  readonly plan?: string
  /** When the person proved who they are: seconds since 1970, or an ISO 8601 date. Default: `auth_time`. */
  readonly authenticatedAt?: string
}

/**
 * The principal that claims name; undefined without an id. A token without a person (`sub` equal to the
 * client's id, RFC 9068 section 2.2) is a service.
 */
export function principalOf(claims: Claims, names: PrincipalClaims = {}): Principal | undefined {
  const id = claimAt(claims, names.id ?? 'sub')
  if (typeof id !== 'string' || !isName(id)) return undefined
  const client = claims['client_id'] ?? claims['azp']
  const tenant = tenantAt(claims, names.tenant)
  if (tenant === null) return undefined
  const plan = textAt(claims, names.plan)
  const roles = listAt(claims, names.roles ?? 'roles')
  const scopes = listAt(claims, 'scope') ?? listAt(claims, 'scp')
  const amr = listAt(claims, 'amr')
  const authenticatedAt = timeOf(claimAt(claims, names.authenticatedAt ?? 'auth_time'))
  const actor = actorIn(claims)
  return {
    kind: id === client || claims['gty'] === 'client-credentials' ? 'service' : 'user',
    id,
    ...(tenant !== undefined && { tenant }),
    ...(plan !== undefined && { plan }),
    ...(roles !== undefined && { roles }),
    ...(scopes !== undefined && { scopes }),
    ...(amr !== undefined && { amr }),
    ...(authenticatedAt !== undefined && { authenticatedAt }),
    ...(actor !== undefined && { actor }),
  }
}

/** More seconds than this are milliseconds, as `Date.now()` of JavaScript gives them: the year 5138. */
const MOST_SECONDS = 100_000_000_000

/** A time in claims or in a session, as epoch milliseconds; undefined for anything else. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) ? (value < MOST_SECONDS ? value * 1_000 : value) : undefined
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}

const LONGEST = 256
const CONTROL = /\p{Cc}/u

/** A name that stores, logs and claims of budgets can hold. */
function isName(text: string): boolean {
  return text !== '' && text.length <= LONGEST && !CONTROL.test(text) && text.isWellFormed()
}

/**
 * Many issuers number their tenants. What cannot be read as a tenant must not make a principal of none: null.
 */
function tenantAt(claims: Claims, path: string | undefined): string | undefined | null {
  const value = path === undefined ? undefined : claimAt(claims, path)
  if (value === undefined || value === null || value === '') return undefined
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && isName(text) ? text : null
}

/**
 * Who really acts (RFC 8693 section 4.1). A party that is named in another way than by `sub` acts all the
 * same: its token is not that of the person.
 */
function actorIn(claims: Claims): string | undefined {
  const sub = claimAt(claims, 'act.sub')
  const { act } = claims
  if (sub === undefined && (typeof act !== 'object' || act === null)) return undefined
  if (typeof sub === 'string' && isName(sub)) return sub
  const client = claimAt(claims, 'act.client_id')
  return typeof client === 'string' && isName(client) ? `service:${client}` : 'service:unnamed'
}

function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

function textAt(claims: Claims, path: string | undefined): string | undefined {
  const value = path === undefined ? undefined : claimAt(claims, path)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A list, or a text of words (`scope`). */
function listAt(claims: Claims, path: string): readonly string[] | undefined {
  const value = claimAt(claims, path)
  if (typeof value === 'string') return value.split(' ').filter(word => word !== '')
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined
}
