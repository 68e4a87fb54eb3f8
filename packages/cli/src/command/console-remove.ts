import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { consoleChange } from './console-change.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** `postern console remove EMAIL`: who may not sign in any more. Exit 1 for the last one of a role. */
export const run: Command = async ([name = ''], options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/remove', {
    name,
    operator: accountName(),
  })
  const { change } = answer as { readonly change: string }
  context.output.line(`${safe(name)}: ${consoleChange(change, 'is removed')}`)
  context.output.result(answer)
  return change === 'changed' ? EXIT.done : EXIT.no
}
