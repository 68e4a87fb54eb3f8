import { ApprovalRefused } from '@postern/access'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { approvalLines, withApprovals } from './with-approvals.ts'

/**
 * `postern approvals show`: one request, with its arguments and the rows it shows. Exit 1 when there is none.
 */
export const run: Command = async ([id = ''], options, context) => {
  try {
    const { approval, names } = await withApprovals(options, context, async (approvals, people) => {
      const found = await approvals.show(id)
      return { approval: found, names: await people.namesIn([found]) }
    })
    for (const line of approvalLines(approval, 'with-sample', names)) context.output.line(line)
    context.output.result(approval)
    return EXIT.done
  } catch (error) {
    if (!(error instanceof ApprovalRefused)) throw error
    context.output.note(error.message)
    return EXIT.no
  }
}
