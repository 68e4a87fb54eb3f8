import { budgetStatus, DEFAULT_BUDGETS, installBudgets, planBudgets } from '@postern/access'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

const ACT = { action: 'budgets.install', resource: { type: 'database', id: 'budgetDatabase' } }

/**
 * `postern budgets install`: counts rows in the application's database from now on; with `--print` it only
 * shows the SQL.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const isPrint = options['print'] === true
  return withBudgetDatabase(
    options,
    context,
    async ({ setup, database, settings }) => {
      const install = { ...settings, budgets: setup.config.budgets ?? DEFAULT_BUDGETS }
      if (isPrint) {
        await output.data(planBudgets(install).sql)
        return EXIT.done
      }
      await installBudgets(database, install)
      const { tables, followsNewTables } = await budgetStatus(database)
      const count = Object.keys(install.budgets).length
      output.line(
        `${count} ${count === 1 ? 'budget guards' : 'budgets guard'} ${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`,
      )
      if (!followsNewTables)
        output.note(
          'Tables made later are not guarded until this is run again: only a superuser may watch for them.',
        )
      output.result({ budgets: Object.keys(install.budgets), tables, followsNewTables })
      return EXIT.done
    },
    isPrint ? undefined : ACT,
  )
}
