import { ConfigError } from '@postern/core'

const ROLE = /^[a-z][a-z0-9-]{0,39}$/

/**
 * Roles as they are stored: separated by spaces.
 * @throws ConfigError for more than 20, or for one that is not a plain word
 */
export function checkedRoles(roles: readonly string[]): string {
  if (roles.length > 20 || roles.some(role => !ROLE.test(role)))
    throw new ConfigError({
      place: 'roles',
      problem: 'are not at most 20 words of small letters, digits and hyphens',
      hint: 'for example support',
    })
  return roles.join(' ')
}
