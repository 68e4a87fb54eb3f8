import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** `postern console remove EMAIL`: who may not sign in any more. Exit 1 for the last operator or approver. */
export const run: Command = async ([name = ''], options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/remove', {
    name,
    operator: accountName(),
  })
  const { change } = answer as { readonly change: 'changed' | 'unchanged' | 'last' | 'last approver' }
  const words = {
    changed: 'is removed',
    unchanged: 'nothing to change',
    last: 'is the last operator, and stays: make somebody else an operator first',
    'last approver': 'is the last approver, and stays: make somebody else an approver first',
  }
  context.output.line(`${safe(name)}: ${words[change]}`)
  context.output.result(answer)
  return change === 'changed' ? EXIT.done : EXIT.no
}
