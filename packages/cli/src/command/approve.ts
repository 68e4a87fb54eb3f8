import { ApprovalRefused } from '@postern/access'
import { accountName } from '@postern/runtime'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { approvalLines, withApprovals } from './with-approvals.ts'

/**
 * `postern approve`: consents to a request, or denies it, under the name of a person. Exit 1 when they may
 * not: because they stand behind the request, or it is decided already.
 */
export const run: Command = async ([id = ''], options, context) => {
  const name = textOption(options, 'as') ?? accountName()
  const decision = options['deny'] === true ? 'deny' : 'approve'
  const note = textOption(options, 'note') ?? ''
  const act = {
    action: `approval.${decision}`,
    resource: { type: 'approval', id: id.slice(0, 64) },
    data: { as: name, note },
  }
  try {
    const { approval, names } = await withApprovals(
      options,
      context,
      async (approvals, people) => {
        const decided = await approvals.decideAsOperator(id, name, decision, note)
        return { approval: decided, names: await people.namesIn([decided]) }
      },
      act,
    )
    for (const line of approvalLines(approval, 'without-sample', names)) context.output.line(line)
    context.output.result({ id: approval.id, state: approval.state, decidedBy: approval.decidedBy })
    return EXIT.done
  } catch (error) {
    if (!(error instanceof ApprovalRefused)) throw error
    context.output.note(error.message)
    context.output.result({ id, refused: error.why, message: error.message })
    return EXIT.no
  }
}
