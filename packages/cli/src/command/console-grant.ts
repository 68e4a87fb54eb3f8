import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { consoleChange } from './console-change.ts'
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
  const { change } = answer as { readonly change: string }
  context.output.line(`${safe(name)}: ${consoleChange(change, 'has other roles from now on')}`)
  context.output.result(answer)
  return change === 'changed' ? EXIT.done : EXIT.no
}
