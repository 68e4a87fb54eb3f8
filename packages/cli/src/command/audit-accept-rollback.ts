import { ConfigError, systemClock } from '@postern/core'
import { Connections, openAudit, operatorEvent } from '@postern/runtime'
import type { Command } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit accept-rollback`: opens a log that was restored from a backup although an anchor remembers
 * more of it, and enters that this was accepted. Needs the gateway stopped.
 */
export const run: Command = async (_args, options, context) => {
  if (options['yes'] !== true)
    throw new ConfigError({
      place: 'audit accept-rollback',
      problem: 'discards every entry that an anchor remembers and this log does not have',
      hint: 'if the log was restored from a backup on purpose: postern audit accept-rollback --yes',
    })
  const setup = await loadSetup(options, context)
  const connections = new Connections(setup.config, setup.dataDirectory, 'existing')
  try {
    const opened = await openAudit(setup, connections, { older: 'accept-rollback' })
    if (opened === undefined)
      throw new ConfigError({
        place: 'audit',
        problem: 'is switched off in this configuration',
        hint: 'take `audit: false` out of the configuration, or name the right one with `--config`',
      })
    const { log } = opened
    const act = { action: 'audit.accept-rollback', resource: { type: 'audit' } }
    const checkpoint = await log
      .append(operatorEvent(act, systemClock))
      .then(() => log.checkpoint())
      .finally(() => log.close())
    const size = Number(checkpoint.split('\n')[1])
    context.output.line(
      `the log continues with ${counted(size, 'entry', 'entries')}; the last ones record that this was accepted, and by whom`,
    )
    context.output.result({ size })
    return EXIT.done
  } finally {
    await connections.close()
  }
}
