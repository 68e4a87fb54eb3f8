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
}

/**
 * The principal that claims name; undefined without an id. A token without a person (`sub` equal to the
 * client's id, RFC 9068 section 2.2) is a service.
 */
export function principalOf(claims: Claims, names: PrincipalClaims = {}): Principal | undefined {
  const id = claimAt(claims, names.id ?? 'sub')
  if (typeof id !== 'string' || id === '') return undefined
  const client = claims['client_id'] ?? claims['azp']
  const tenant = textAt(claims, names.tenant)
  const plan = textAt(claims, names.plan)
  const roles = listAt(claims, names.roles ?? 'roles')
  const scopes = listAt(claims, 'scope') ?? listAt(claims, 'scp')
  const amr = listAt(claims, 'amr')
  const time = claims['auth_time']
  const actor = claimAt(claims, 'act.sub')
  return {
    kind: id === client || claims['gty'] === 'client-credentials' ? 'service' : 'user',
    id,
    ...(tenant !== undefined && { tenant }),
    ...(plan !== undefined && { plan }),
    ...(roles !== undefined && { roles }),
    ...(scopes !== undefined && { scopes }),
    ...(amr !== undefined && { amr }),
    ...(typeof time === 'number' && { authenticatedAt: time * 1_000 }),
    ...(typeof actor === 'string' && { actor }),
  }
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
