import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withIdentity } from './with-identity.ts'

/** `postern users import FILE`: accounts from CSV. Exit 1 when a line could not be taken. */
export const run: Command = async ([file = ''], options, context) => {
  const csv = await readFile(resolve(context.folder, file), 'utf8')
  const act = { action: 'users.import', resource: { type: 'account' } }
  const report = await withIdentity(options, context, identity => identity.importAccounts(csv), act)
  context.output.line(
    `${report.created} created, ${report.existing} existed already, ${report.faults.length} left out`,
  )
  for (const { line, problem } of report.faults) context.output.line(`  line ${line}: ${problem}`)
  context.output.result(report)
  return report.faults.length === 0 ? EXIT.done : EXIT.no
}
