import type { ChangeQuery, UndoOptions } from '@postern/access'
import type { CompiledBudgetDatabase } from '@postern/config'
import { parseDuration, systemClock } from '@postern/core'
import { type CommandOptions, textOption } from './command.ts'

/** The most that one command lists or puts back. */
const MOST = 1_000

/** Which changes `--actor` and `--since` mean. @throws ConfigError for an invalid duration */
export function changeQuery(options: CommandOptions): ChangeQuery {
  const actor = textOption(options, 'actor')
  const since = textOption(options, 'since')
  return {
    limit: MOST,
    ...(actor !== undefined && { actor }),
    ...(since !== undefined && { since: new Date(systemClock.now() - parseDuration(since, '--since')) }),
  }
}

/** How a change is put back: all of its tables unless some are named. */
export function undoOptions(
  { journalKeys }: CompiledBudgetDatabase,
  tables: readonly string[],
  conflicts: 'stop' | 'skip',
): UndoOptions {
  const named = tables.map(table => (table.includes('.') ? table : `public.${table}`))
  return { keys: journalKeys, conflicts, ...(named.length > 0 && { tables: named }) }
}
