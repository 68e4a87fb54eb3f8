import type { CompiledBudgetDatabase } from '@postern/config'
import { ConfigError, systemClock } from '@postern/core'
import { type OperatorAct, recordOperator } from '@postern/runtime'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import type { CommandContext, CommandOptions } from './command.ts'
import { loadSetup, type Setup, unseenCode } from './setup.ts'

/** What a command about budgets works with. */
export interface BudgetWork {
  readonly setup: Setup
  readonly database: PostgresDatabase
  readonly settings: CompiledBudgetDatabase
}

/**
 * Opens the application's database for one piece of work.
 * @param act what the work changes, for the log; absent when it only reads
 * @throws ConfigError when the configuration names no such database; StoreError
 */
export async function withBudgetDatabase<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (opened: BudgetWork) => Promise<T>,
  act?: OperatorAct,
): Promise<T> {
  const setup = await loadSetup(options, context)
  const settings = setup.config.budgetDatabase
  if (settings === undefined)
    throw new ConfigError({
      place: 'budgetDatabase',
      problem: 'is not configured',
      hint: `budgetDatabase: { url: '\${APP_OWNER_URL}', claimKeys: ['\${CLAIM_KEY}'] }${unseenCode(setup)}`,
    })
  const database = connectPostgres({ url: settings.url, statementTimeout: '30s' })
  try {
    const opened = { setup, database, settings }
    if (act === undefined) return await work(opened)
    return await recordOperator(setup, act, systemClock, () => work(opened))
  } finally {
    await database.close()
  }
}
