import { ConfigError, type Json } from '@postern/core'
import type { Layer } from '../assembly/layer.ts'
import type { AdminCommand } from './admin-server.ts'

/** What `postern parameters` asks of a running gateway. */
export function parameterCommands(layer: Layer): Readonly<Record<string, AdminCommand>> {
  return {
    'parameters/propose': ({ samples }) => {
      if (layer.config.schema?.learn !== true)
        throw new ConfigError({
          place: 'schema.learn',
          problem: 'is not on, so nothing was learned',
          mend: 'schema: { learn: true }, and ordinary traffic for some days',
        })
      const least = typeof samples === 'number' && samples >= 1 ? samples : undefined
      return JSON.parse(JSON.stringify(layer.rooms.learner?.propose(least) ?? {})) as Json
    },
  }
}
