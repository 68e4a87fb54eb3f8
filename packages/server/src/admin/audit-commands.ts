import { ConfigError } from '@postern/core'
import type { Layer } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/** What `postern audit` asks of the gateway that holds the log. */
export function auditCommands(layer: Layer): Readonly<Record<string, AdminCommand>> {
  return {
    'audit/erase': async ({ principal, tenant }) => {
      const { audit } = layer.rooms
      if (audit === undefined)
        throw new ConfigError({ place: 'audit', problem: 'is switched off in this gateway' })
      if (typeof principal !== 'string' || principal === '')
        throw new ConfigError({ place: 'principal', problem: 'must be the id of a principal' })
      const { index } = await audit.eraseSubject(principal, typeof tenant === 'string' ? { tenant } : {})
      return { index: Number(index) }
    },
  }
}
