import { logHandler } from '@postern/audit'
import { openAuditSource } from '@postern/runtime'
import type { Command } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { failureLines, listenOption, serveUntilStopped } from './serve-until-stopped.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit serve`: the log's checkpoint, tiles and entries for others to verify (C2SP tlog-tiles), read
 * only, beside whatever appends to it. Entries say in the clear what was done: it listens to this machine
 * alone by default.
 */
export const run: Command = async (_args, options, context) => {
  const { output, signal } = context
  const place = listenOption(options)
  const log = await openAuditSource(await loadSetup(options, context))
  try {
    const handler = logHandler(log.reader, '', failureLines(output, 'audit serve'))
    await serveUntilStopped(handler, place, signal, async url => {
      const { origin, size } = await log.reader.head()
      output.line(
        `serving ${origin}, ${counted(size, 'entry', 'entries')}, at ${url}/checkpoint and ${url}/tile/`,
      )
      output.result({ event: 'listening', url, origin })
    })
    return EXIT.done
  } finally {
    await log.close()
  }
}
