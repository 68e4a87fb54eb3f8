import { ConfigError } from '@postern/core'
import { type CommandOptions, listOption } from './command.ts'

const ROLES: readonly string[] = ['viewer', 'operator', 'administrator', 'approver']

/** The roles of `--role`, or of arguments. @throws ConfigError for another word */
export function consoleRoles(
  options: CommandOptions,
  roles: readonly string[] = listOption(options, 'role'),
): readonly string[] {
  const unknown = roles.find(role => !ROLES.includes(role))
  if (unknown === undefined) return roles
  throw new ConfigError({
    place: '--role',
    problem: `"${unknown.slice(0, 40)}" is not a role`,
    hint: ROLES.join(', '),
  })
}
