import { writeEntry } from './audit-entry.ts'
import { auditFilter, filteredEntries } from './audit-filter.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { openWithWaiting } from './open-with-waiting.ts'
import { loadSetup } from './setup.ts'

const DEFAULT_LIMIT = 100

/** `postern audit search`: newest first; exit 1 when nothing matches. */
export const run: Command = async (_args, options, context) => {
  const log = await openWithWaiting(await loadSetup(options, context), context.output)
  let found = 0
  try {
    const filter = auditFilter(options, Date.now())
    const limit = filter.limit ?? DEFAULT_LIMIT
    for await (const entry of filteredEntries(log, { ...filter, limit })) {
      found++
      writeEntry(context.output, entry)
      if (context.signal.aborted) return EXIT.interrupted
    }
  } finally {
    await log.close()
  }
  if (found === 0) context.output.line('nothing matches')
  return found === 0 ? EXIT.no : EXIT.done
}
