import type { Role } from '@postern/console'
import { ConfigError } from '@postern/core'
import type { RunningConsole } from '../console/open-console.ts'
import type { AdminCommand } from './admin-server.ts'

const ROLES: readonly Role[] = ['viewer', 'operator', 'approver']

/** What `postern console` asks of a running gateway. */
export function consoleCommands(opened: RunningConsole | undefined): Readonly<Record<string, AdminCommand>> {
  return {
    'console/link': ({ name, roles }) => {
      if (opened === undefined)
        throw new ConfigError({
          place: 'console',
          problem: 'is off in this gateway',
          hint: 'set console: {} in the configuration, or start it with --console',
        })
      const wanted = Array.isArray(roles) ? ROLES.filter(role => roles.includes(role)) : ROLES
      // Whoever may act may look.
      const granted = new Set<Role>(['viewer', ...wanted])
      return { link: opened.link(typeof name === 'string' ? name : undefined, [...granted]) }
    },
  }
}
