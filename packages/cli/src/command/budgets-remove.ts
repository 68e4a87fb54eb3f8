import { REMOVE_BUDGETS_SQL, removeBudgets } from '@postern/access'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

const ACT = { action: 'budgets.remove', resource: { type: 'database', id: 'budgetDatabase' } }

/**
 * `postern budgets remove`: takes triggers, counts and the journal away; with `--print` it only shows the
 * SQL.
 */
export const run: Command = async (_args, options, context) => {
  if (options['print'] === true) {
    await context.output.data(REMOVE_BUDGETS_SQL.trim())
    return EXIT.done
  }
  await withBudgetDatabase(options, context, ({ database }) => removeBudgets(database), ACT)
  context.output.line('budgets, their counts and the journal are removed')
  context.output.result({ removed: true })
  return EXIT.done
}
