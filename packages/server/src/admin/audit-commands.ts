import { ConfigError } from '@postern/core'
import { operatorEvent, type Resources } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/**
 * What `postern audit` asks of the gateway that holds the log. Who asks for it is entered in the log before
 * it is done, but not whose key is destroyed: a name would outlive the erasure.
 * @param eraseElsewhere erases a principal from what is kept beside the log
 */
export function auditCommands(
  {
    clock,
    recorder,
    audit,
  }: Pick<Resources, 'clock' | 'recorder'> & {
    readonly audit: Pick<NonNullable<Resources['audit']>, 'eraseSubject'> | undefined
  },
  eraseElsewhere: (principal: string, tenant: string) => Promise<void>,
): Readonly<Record<string, AdminCommand>> {
  return {
    'audit/erase': async ({ principal, tenant, operator }) => {
      if (typeof principal !== 'string' || principal === '')
        throw new ConfigError({ place: 'principal', problem: 'must be the id of a principal' })
      const act = { action: 'audit.erase', resource: { type: 'audit' } }
      await recorder?.commit(operatorEvent(act, clock, typeof operator === 'string' ? operator : undefined))
      // First: the log refuses a principal that it does not know, and then nothing would be erased anywhere.
      await eraseElsewhere(principal, typeof tenant === 'string' ? tenant : '')
      if (audit === undefined)
        throw new ConfigError({
          place: 'audit',
          problem: 'is switched off in this gateway; what the console kept was erased',
          hint: 'if there is a log, name its configuration with `--config`',
        })
      const { index } = await audit.eraseSubject(principal, typeof tenant === 'string' ? { tenant } : {})
      return { index: Number(index) }
    },
  }
}
