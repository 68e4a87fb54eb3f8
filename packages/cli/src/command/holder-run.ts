import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { openAuditLog } from '@postern/audit'
import { runHolder, unlockFrom } from '@postern/vault/holder'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { unlockOptions } from './unlock-options.ts'

/**
 * `postern holder run CONFIG`: with an audit log of its own beside the configuration, verified by
 * `postern audit verify`.
 */
export const run: Command = async ([path = ''], options, context) => {
  const config = resolve(context.folder, path)
  const unlock = unlockFrom(unlockOptions(options), context.environment, context.folder)
  const log = await openAuditLog({
    directory: join(dirname(config), 'audit'),
    origin: `${hostname()}/holder`,
    wait: '15s',
    onWait: sentence => context.output.note(sentence),
    stop: context.signal,
  })
  try {
    const holder = await runHolder(config, unlock, log)
    context.output.line(
      `holder ${holder.core.id} ready: port ${holder.port}, fingerprint ${holder.fingerprint}`,
    )
    await new Promise<void>(done => {
      if (context.signal.aborted) done()
      else context.signal.addEventListener('abort', () => done(), { once: true })
    })
    await holder.close()
    return EXIT.done
  } finally {
    await log.close()
  }
}
