import { setTimeout as pause } from 'node:timers/promises'
import { openAuditSource } from '@postern/runtime'
import { writeEntry } from './audit-entry.ts'
import { collect } from './collect.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'
import { wholeOption } from './whole-option.ts'

const POLL_MS = 250
/** They are held in memory, to be shown oldest first. */
const MOST_LINES = 100_000

/** `postern audit tail`: the last entries, and with `--follow` every new one until it is interrupted. */
export const run: Command = async (_args, options, context) => {
  const count = wholeOption(options, 'lines', 20, { least: 0, most: MOST_LINES })
  const log = await openAuditSource(await loadSetup(options, context))
  try {
    const latest = await collect(log.query({ limit: Math.max(1, count) }))
    let last = latest[0]?.index
    for (const entry of latest.slice(0, count).reverse()) writeEntry(context.output, entry)
    while (options['follow'] === true && !context.signal.aborted) {
      await pause(POLL_MS, undefined, { signal: context.signal }).catch(() => {})
      for await (const entry of log.query({ order: 'oldest', ...(last !== undefined && { after: last }) })) {
        writeEntry(context.output, entry)
        last = entry.index
      }
    }
    return EXIT.done
  } finally {
    await log.close()
  }
}
