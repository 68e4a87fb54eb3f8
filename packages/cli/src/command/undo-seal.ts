import { expireJournal, sealJournal } from '@postern/access'
import { ConfigError, formatDuration } from '@postern/core'
import type { Command } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/**
 * `postern undo seal`: encrypts old rows that the journal holds in the clear, and forgets those past their
 * retention. For a timer.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const done = await withBudgetDatabase(options, context, async ({ database, settings }) => {
    const [key] = settings.journalKeys
    if (key === undefined)
      throw new ConfigError({
        place: 'budgetDatabase.journalKeys',
        problem: 'names no key to seal with',
        hint: "journalKeys: ['${JOURNAL_KEY}']",
      })
    const forgotten = await expireJournal(database, settings.retention)
    return { sealed: await sealJournal(database, key), forgotten, retention: settings.retention }
  })
  output.line(
    `${counted(done.sealed, 'entry', 'entries')} sealed; ${done.forgotten} older than ${formatDuration(done.retention)} forgotten`,
  )
  output.result(done)
  return EXIT.done
}
