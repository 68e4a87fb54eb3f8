import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { consoleRoles } from './console-roles.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** `postern console grant EMAIL ROLE...`: what an operator may from now on. Exit 1 when nothing changed. */
export const run: Command = async ([name = '', ...words], options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/roles', {
    name,
    roles: [...consoleRoles(options, words)],
    operator: accountName(),
  })
  const { change } = answer as { readonly change: 'changed' | 'unchanged' | 'last' | 'last approver' }
  const wordsSaid = {
    changed: 'has other roles from now on',
    unchanged: 'nothing to change',
    last: 'is the last operator, and stays: make somebody else an operator first',
    'last approver': 'is the last approver, and stays: make somebody else an approver first',
  }
  context.output.line(`${safe(name)}: ${wordsSaid[change]}`)
  context.output.result(answer)
  return change === 'changed' ? EXIT.done : EXIT.no
}
