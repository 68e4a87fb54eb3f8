import { ConfigError, type Json } from '@postern/core'
import { operatorEvent, type Resources } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/** What `postern parameters` asks of a running gateway. */
export function parameterCommands({
  learned,
  clock,
  recorder,
}: Pick<Resources, 'learned' | 'clock' | 'recorder'>): Readonly<Record<string, AdminCommand>> {
  return {
    'parameters/types': () => ({
      types: JSON.parse(JSON.stringify(Object.fromEntries(learned?.types() ?? []))) as Json,
    }),
    'parameters/propose': ({ samples }) => {
      const least = typeof samples === 'number' && samples >= 1 ? samples : undefined
      return JSON.parse(JSON.stringify(learned?.propose(least) ?? {})) as Json
    },
    'parameters/forget': async ({ route, operator }) => {
      if (route !== undefined && typeof route !== 'string')
        throw new ConfigError({ place: 'route', problem: 'must be text, as "GET /search"' })
      const act = {
        action: 'parameters.forget',
        resource: { type: 'parameters' },
        ...(route !== undefined && { data: { route } }),
      }
      await recorder?.commit(operatorEvent(act, clock, typeof operator === 'string' ? operator : undefined))
      return { forgotten: learned?.forget(route) ?? 0 }
    },
  }
}
