import type { UndoOptions } from '@postern/access'
import type { CompiledBudgetDatabase } from '@postern/config'

/** How a change is put back: all of its tables unless some are named. */
export function undoOptions(
  { journalKeys }: CompiledBudgetDatabase,
  tables: readonly string[],
  conflicts: 'stop' | 'skip',
): UndoOptions {
  const named = tables.map(table => (table.includes('.') ? table : `public.${table}`))
  return { keys: journalKeys, conflicts, ...(named.length > 0 && { tables: named }) }
}
