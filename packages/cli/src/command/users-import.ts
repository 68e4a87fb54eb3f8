import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern users import FILE`: accounts from CSV. Exit 1 when a line could not be taken. Ctrl-C stops it
 * after the account at hand.
 */
export const run: Command = async ([file = ''], options, context) => {
  const csv = await readFile(resolve(context.folder, file), 'utf8')
  const act = { action: 'users.import', resource: { type: 'account' } }
  const { signal, output } = context
  const report = await withIdentity(
    options,
    context,
    identity => identity.importAccounts(csv, { signal }),
    act,
  )
  output.line(
    `${report.created} created, ${report.existing} existed already, ${report.faults.length} left out`,
  )
  for (const { line, problem } of report.faults) output.line(`  line ${line}: ${problem}`)
  output.result(report)
  if (report.stoppedAt !== undefined) {
    output.note(
      `Stopped before line ${report.stoppedAt}; run it again to go on: accounts that exist stay as they are.`,
    )
    return EXIT.interrupted
  }
  return report.faults.length === 0 ? EXIT.done : EXIT.no
}
