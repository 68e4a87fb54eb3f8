import { ConfigError } from '@postern/core'

/**
 * A name as SQL takes it, quoted; `schema.table` becomes two.
 * @throws ConfigError for anything but letters, digits and underscores
 */
export function identifier(name: string): string {
  if (!/^[A-Za-z_]\w{0,62}(?:\.[A-Za-z_]\w{0,62})?$/.test(name))
    throw new ConfigError({
      place: 'vault SQL',
      problem: `"${name.slice(0, 80)}" is not a plain table or column name`,
      hint: 'use letters, digits and underscores',
    })
  return name
    .split('.')
    .map(part => `"${part}"`)
    .join('.')
}
