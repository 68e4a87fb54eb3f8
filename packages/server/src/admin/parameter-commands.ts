import { ConfigError, type Json } from '@postern/core'
import type { Layer } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/** What `postern parameters` asks of a running gateway. */
export function parameterCommands(layer: Layer): Readonly<Record<string, AdminCommand>> {
  return {
    'parameters/propose': ({ samples }) => {
      const least = typeof samples === 'number' && samples >= 1 ? samples : undefined
      return JSON.parse(JSON.stringify(layer.rooms.learned?.propose(least) ?? {})) as Json
    },
    'parameters/forget': ({ route }) => {
      if (route !== undefined && typeof route !== 'string')
        throw new ConfigError({ place: 'route', problem: 'must be text, as "GET /search"' })
      return { forgotten: layer.rooms.learned?.forget(route) ?? 0 }
    },
  }
}
