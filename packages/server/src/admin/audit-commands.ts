import { ConfigError } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/**
 * What `postern audit` asks of the gateway that holds the log.
 * @param eraseElsewhere erases a principal from what is kept beside the log
 */
export function auditCommands(
  runtime: Runtime,
  eraseElsewhere: (principal: string, tenant: string) => Promise<void>,
): Readonly<Record<string, AdminCommand>> {
  return {
    'audit/erase': async ({ principal, tenant }) => {
      if (typeof principal !== 'string' || principal === '')
        throw new ConfigError({ place: 'principal', problem: 'must be the id of a principal' })
      // First: the log refuses a principal that it does not know, and then nothing would be erased anywhere.
      await eraseElsewhere(principal, typeof tenant === 'string' ? tenant : '')
      const { audit } = runtime.resources
      if (audit === undefined)
        throw new ConfigError({
          place: 'audit',
          problem: 'is switched off in this gateway; what the console kept was erased',
        })
      const { index } = await audit.eraseSubject(principal, typeof tenant === 'string' ? { tenant } : {})
      return { index: Number(index) }
    },
  }
}
