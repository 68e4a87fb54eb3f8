import { budgetStatus } from '@postern/access'
import { formatDuration } from '@postern/core'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/**
 * `postern budgets status`: what is limited, guarded and refused, and what could get around it. Exit 1 when a
 * table is not guarded.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const status = await withBudgetDatabase(options, context, ({ database }) => budgetStatus(database))
  output.result(status)
  if (!status.isInstalled) {
    output.line('not installed: postern budgets install')
    return EXIT.no
  }
  for (const { budget, scope, rows, window, mostUsed, refused } of status.limits)
    output.line(
      `${safe(budget).padEnd(24)} ${scope.padEnd(7)} ${rows} rows in ${formatDuration(window)}, at most ${mostUsed} used, ${refused} refused`,
    )
  for (const { table, guarded, unguarded } of status.tables)
    output.line(
      `${safe(table).padEnd(24)} ${guarded.join(', ')}${unguarded.length === 0 ? '' : `; NOT guarded: ${unguarded.join(', ')}`}`,
    )
  if (status.refusedClaims > 0)
    output.line(`${status.refusedClaims} changes refused because they had no valid claim`)
  for (const { what, why, hint } of status.waysRound) {
    output.line(`${safe(what)} ${safe(why)}`)
    output.line(`  hint: ${safe(hint)}`)
  }
  return status.tables.some(({ unguarded }) => unguarded.length > 0) ? EXIT.no : EXIT.done
}
