import { type Change, listChanges, type UndoReport, undoChange } from '@postern/access'
import { ConfigError } from '@postern/core'
import type { PostgresDatabase } from '@postern/store'
import { type Command, type CommandOptions, listOption, textOption } from './command.ts'
import { changeQuery, undoOptions } from './undo-options.ts'
import { showReport } from './undo-report.ts'
import { withBudgetDatabase } from './with-budget-database.ts'

/**
 * `postern undo apply CHANGE...`, or all of an actor with `--actor` and `--since`: puts changes back, the
 * newest first, each in a transaction of its own. Exit 1 when rows do not fit; then nothing more is
 * written, or all others with `--skip-conflicts`.
 */
export const run: Command = async (named, options, context) => {
  const conflicts = options['skipConflicts'] === true ? 'skip' : 'stop'
  const tables = listOption(options, 'table')
  checkWhich(named, options)
  const data = { tables, conflicts, ...actorData(options) }
  const act = { action: 'undo.apply', resource: { type: 'change', id: named.join(' ') || 'all' }, data }
  const reports = await withBudgetDatabase(
    options,
    context,
    async ({ database, settings }) => {
      const done: UndoReport[] = []
      for (const change of await changesOf(named, options, database)) {
        const report = await undoChange(database, change, undoOptions(settings, tables, conflicts))
        done.push(report)
        if (!report.isApplied) break
      }
      return done
    },
    act,
  )
  const { output } = context
  const stopped = reports.find(report => !report.isApplied)
  const applied = reports.filter(report => report.isApplied)
  if (reports.length === 0) output.line('nothing to put back')
  if (stopped === undefined) return showReport(output, merged(applied), 'put back')
  if (applied.length > 0) showReport(output, merged(applied), 'put back')
  output.note(
    `${applied.length === 0 ? 'Nothing was written' : 'Nothing more was written'}: some rows do not fit. --skip-conflicts puts all others back.`,
  )
  return showReport(output, stopped, 'would put back')
}

/** @throws ConfigError unless changes are named in one of the two ways */
function checkWhich(named: readonly string[], options: CommandOptions): void {
  if (named.length > 0 !== (textOption(options, 'actor') !== undefined)) return
  throw new ConfigError({
    place: 'undo apply',
    problem: named.length > 0 ? 'names changes and an actor' : 'names nothing to put back',
    hint: 'postern undo apply CHANGE..., or --actor user:alice --since 1h',
  })
}

function actorData(options: CommandOptions): Readonly<Record<string, string>> {
  const [actor, since] = [textOption(options, 'actor'), textOption(options, 'since')]
  return { ...(actor !== undefined && { actor }), ...(since !== undefined && { since }) }
}

async function changesOf(
  named: readonly string[],
  options: CommandOptions,
  database: PostgresDatabase,
): Promise<readonly string[]> {
  if (named.length > 0) return named
  return (await listChanges(database, changeQuery(options))).filter(isWhole).map(({ id }) => id)
}

/** Whether nothing of a change was put back yet. */
function isWhole({ tables }: Change): boolean {
  return tables.every(({ undone }) => undone === 0)
}

/** Several reports as one. */
function merged(reports: readonly UndoReport[]): UndoReport {
  const rows = new Map<string, UndoReport['restored'][number]>()
  for (const one of reports.flatMap(({ restored }) => restored)) {
    const key = `${one.action} ${one.table}`
    rows.set(key, { ...one, rows: one.rows + (rows.get(key)?.rows ?? 0) })
  }
  return {
    change: reports.map(({ change }) => change).join(' '),
    restored: [...rows.values()],
    conflicts: reports.flatMap(({ conflicts }) => conflicts).slice(0, 100),
    conflictCount: reports.reduce((sum, { conflictCount }) => sum + conflictCount, 0),
    isApplied: true,
  }
}
