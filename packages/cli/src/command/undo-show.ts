import { showUndo } from '@postern/access'
import { type Command, listOption } from './command.ts'
import { undoOptions } from './undo-options.ts'
import { showReport } from './undo-report.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/**
 * `postern undo show`: what putting a change back would do; it is done and rolled back. Exit 1 when rows do
 * not fit.
 */
export const run: Command = async ([change = ''], options, context) => {
  const report = await withBudgetDatabase(options, context, ({ database, settings }) =>
    showUndo(database, change, undoOptions(settings, listOption(options, 'table'), 'skip')),
  )
  return showReport(context.output, report, 'would put back')
}
