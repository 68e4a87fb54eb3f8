import { removeEntriesBefore } from '@postern/audit'
import { ConfigError, parseDuration, shellWord, systemClock } from '@postern/core'
import { openAuditSource, recordOperator } from '@postern/runtime'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit prune`: removes the entries older than a time, in whole bundles of 256; every proof stays.
 * Works while the gateway runs.
 */
export const run: Command = async (_args, options, context) => {
  const keep = textOption(options, 'keep')
  if (keep === undefined)
    throw new ConfigError({
      place: '--keep',
      problem: 'is missing',
      hint: 'e.g. postern audit prune --keep 365d',
    })
  const before = systemClock.now() - parseDuration(keep, '--keep')
  if (options['yes'] !== true)
    throw new ConfigError({
      place: 'audit prune',
      problem: `would remove every entry from before ${new Date(before).toISOString()}, which cannot be undone`,
      hint: `to remove them: postern audit prune --keep ${shellWord(keep)} --yes`,
    })
  const setup = await loadSetup(options, context)
  const log = await openAuditSource(setup)
  try {
    const act = { action: 'audit.prune', resource: { type: 'audit' }, data: { before } }
    const { bundles, minimumIndex } = await recordOperator(setup, act, systemClock, async enter => {
      const removed = await removeEntriesBefore(log.reader, before)
      // Names nobody, so that it stays readable when the operator is erased: `audit verify` needs it.
      if (removed.bundles > 0)
        await enter({ type: 'audit.pruned', time: systemClock.now(), actor: {}, data: { ...removed } })
      return removed
    })
    context.output.line(
      `${bundles} bundles of 256 entries removed; the log is readable from entry ${minimumIndex} on`,
    )
    context.output.result({ bundles, minimumIndex })
    return EXIT.done
  } finally {
    await log.close()
  }
}
