import { openAuditSource } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit checkpoint`: the latest signed tree head (C2SP tlog-checkpoint), to be kept somewhere else.
 */
export const run: Command = async (_args, options, context) => {
  const log = await openAuditSource(await loadSetup(options, context))
  try {
    const checkpoint = await log.reader.checkpoint()
    const { origin, size } = await log.reader.head(checkpoint)
    const verifierKeys = await log.reader.verifierKeys()
    context.output.line(checkpoint.trimEnd())
    context.output.result({ origin, size, checkpoint, verifierKeys })
    return EXIT.done
  } finally {
    await log.close()
  }
}
