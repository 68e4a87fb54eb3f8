import { listChanges } from '@postern/access'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { changeQuery } from './undo-options.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/** `postern undo list`: changes that can be put back, the newest first. */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const query = changeQuery(options)
  const changes = await withBudgetDatabase(options, context, ({ database }) => listChanges(database, query))
  for (const change of changes) {
    const tables = change.tables.map(
      ({ table, action, rows, undone }) =>
        `${action} ${rows} of ${safe(table)}${undone > 0 ? ` (${undone} put back)` : ''}`,
    )
    output.line(
      `${change.id.padEnd(24)} ${change.at.toISOString()} ${safe(change.actor)}: ${tables.join(', ')}`,
    )
    output.result(change)
  }
  if (changes.length === 0) output.line('the journal is empty')
  return EXIT.done
}
