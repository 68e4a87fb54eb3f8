import { ConfigError, type Json } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/** What `postern parameters` asks of a running gateway. */
export function parameterCommands(runtime: Runtime): Readonly<Record<string, AdminCommand>> {
  return {
    'parameters/types': () => ({
      types: JSON.parse(JSON.stringify(Object.fromEntries(runtime.resources.learned?.types() ?? []))) as Json,
    }),
    'parameters/propose': ({ samples }) => {
      const least = typeof samples === 'number' && samples >= 1 ? samples : undefined
      return JSON.parse(JSON.stringify(runtime.resources.learned?.propose(least) ?? {})) as Json
    },
    'parameters/forget': ({ route }) => {
      if (route !== undefined && typeof route !== 'string')
        throw new ConfigError({ place: 'route', problem: 'must be text, as "GET /search"' })
      return { forgotten: runtime.resources.learned?.forget(route) ?? 0 }
    },
  }
}
