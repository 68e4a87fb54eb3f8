import { undoChange } from '@postern/access'
import { type Command, listOption } from './command.ts'
import { undoOptions } from './undo-options.ts'
import { showReport } from './undo-report.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/** `postern undo apply`: puts a change back. Exit 1 when rows do not fit; then nothing is written, or all others with `--skip-conflicts`. */
export const run: Command = async ([change = ''], options, context) => {
  const conflicts = options['skipConflicts'] === true ? 'skip' : 'stop'
  const tables = listOption(options, 'table')
  const act = { action: 'undo.apply', resource: { type: 'change', id: change }, data: { tables, conflicts } }
  const report = await withBudgetDatabase(
    options,
    context,
    ({ database, settings }) => undoChange(database, change, undoOptions(settings, tables, conflicts)),
    act,
  )
  if (!report.isApplied)
    context.output.note('Nothing was written: some rows do not fit. --skip-conflicts puts all others back.')
  return showReport(context.output, report, report.isApplied ? 'put back' : 'would put back')
}
