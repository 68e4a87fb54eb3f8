import type { Json, Principal } from '@postern/core'

const MAX_NAMES = 50
const MAX_LENGTH = 100

/**
 * What a kept request remembers of its principal besides the id, for previews of policies: kind, roles and
 * scopes, bounded. Undefined where there is nothing but a user without any.
 */
export function notedPrincipal({ kind, roles, scopes }: Principal): Json | undefined {
  if (kind === 'anonymous') return undefined
  const noted = { ...names('roles', roles), ...names('scopes', scopes) }
  if (kind === 'user' && Object.keys(noted).length === 0) return undefined
  return { kind, ...noted }
}

function names(
  name: 'roles' | 'scopes',
  values: readonly string[] | undefined,
): { readonly [key: string]: Json } {
  if (values === undefined || values.length === 0) return {}
  return { [name]: values.slice(0, MAX_NAMES).map(value => value.slice(0, MAX_LENGTH)) }
}
