import { readAudit } from '../assembly/audit.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/** `postern audit checkpoint`: the latest signed tree head (C2SP tlog-checkpoint), to be kept somewhere else. */
export const run: Command = async (_args, options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const reader = readAudit(dataDirectory)
  try {
    const note = reader.checkpoint()
    const { origin, size } = reader.head(note)
    context.output.line(note.trimEnd())
    context.output.result({ origin, size, checkpoint: note, verifierKeys: reader.log.verifierKeys() })
    return EXIT.done
  } finally {
    reader.close()
  }
}
