import type { UndoReport } from '@postern/access'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type Output, safe } from './output.ts'

/** Says what an undo did, or would do, and what does not fit. */
export function showReport(output: Output, report: UndoReport, verb: string): ExitCode {
  for (const { table, action, rows } of report.restored)
    output.line(
      `${verb} ${rows} ${rows === 1 ? 'row' : 'rows'} of ${safe(table)} that were ${action === 'delete' ? 'deleted' : 'edited'}`,
    )
  for (const { table, key, why } of report.conflicts)
    output.line(`conflict: ${safe(table)}${key === '' ? '' : ` ${safe(key)}`}: ${safe(why)}`)
  if (report.conflictCount > report.conflicts.length)
    output.line(`... and ${report.conflictCount - report.conflicts.length} more conflicts`)
  output.result(report)
  return report.conflictCount === 0 ? EXIT.done : EXIT.no
}
