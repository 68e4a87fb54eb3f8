import { budgetStatus } from '@postern/access'
import type { CompiledConfig } from '@postern/config'
import { connectPostgres } from '@postern/store'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

/**
 * Whether row budgets are installed where they are configured, what they do not guard, and who could get
 * around them.
 */
export async function checkBudgets({ budgetDatabase }: CompiledConfig): Promise<readonly DoctorFinding[]> {
  if (budgetDatabase === undefined) return []
  const database = connectPostgres({ url: budgetDatabase.url, max: 1 })
  try {
    const status = await budgetStatus(database)
    if (!status.isInstalled)
      return [bad('budgets', 'are configured and not installed', 'postern budgets install')]
    const open = status.tables.filter(({ unguarded }) => unguarded.length > 0)
    return [
      open.length === 0
        ? ok('budgets', `guard ${status.tables.length} tables`)
        : bad(
            'budgets',
            `do not guard ${open.map(({ table }) => table).join(', ')}`,
            'postern budgets install',
          ),
      ...status.waysRound.map(({ what, why, hint }) => warn('budgets', `${what} ${why}`, hint)),
    ]
  } catch (error) {
    return [
      bad('budgets', error instanceof Error ? error.message : 'cannot be read', 'check budgetDatabase.url'),
    ]
  } finally {
    await database.close()
  }
}
