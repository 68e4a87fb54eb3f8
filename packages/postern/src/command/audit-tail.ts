import { setTimeout as pause } from 'node:timers/promises'
import { readAudit } from '../assembly/audit.ts'
import { writeEntry } from './audit-entry.ts'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

const POLL_MS = 250

/** `postern audit tail`: the last entries, and with `--follow` every new one until it is interrupted. */
export const run: Command = async (_args, options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const reader = readAudit(dataDirectory)
  const count = Math.max(0, Number(textOption(options, 'lines') ?? '20') || 0)
  try {
    let next = reader.head().size - BigInt(count)
    if (next < 0n) next = 0n
    do {
      for (const entry of reader.entries(next)) {
        writeEntry(context.output, entry)
        next = entry.index + 1n
      }
      if (options['follow'] === true)
        await pause(POLL_MS, undefined, { signal: context.signal }).catch(() => {})
    } while (options['follow'] === true && !context.signal.aborted)
    return EXIT.done
  } finally {
    reader.close()
  }
}
