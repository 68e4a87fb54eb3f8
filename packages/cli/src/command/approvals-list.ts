import type { ApprovalState } from '@postern/access'
import { ConfigError } from '@postern/core'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { approvalLines, withApprovals } from './with-approvals.ts'

const STATES: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'used', 'expired', 'cancelled']

/** `postern approvals list`: requests of every tenant in one state, newest first. */
export const run: Command = async (_args, options, context) => {
  const text = textOption(options, 'state') ?? 'pending'
  const state = STATES.find(known => known === text)
  if (state === undefined)
    throw new ConfigError({ place: '--state', problem: 'there is no such state', hint: STATES.join(', ') })
  const { list, names } = await withApprovals(options, context, async (approvals, people) => {
    const found = await approvals.listAll(state)
    return { list: found, names: await people.namesIn(found) }
  })
  for (const approval of list)
    for (const line of approvalLines(approval, 'without-sample', names)) context.output.line(line)
  if (list.length === 0) context.output.line(`no request is ${state}`)
  for (const { preview, ...rest } of list) {
    const { sample: _rows, body: _sent, ...counts } = preview
    context.output.result({ ...rest, preview: counts })
  }
  return EXIT.done
}
