import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { consoleRoles } from './console-roles.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/** `postern console invite EMAIL`: a link that makes an account with a passkey, good once, for a day. */
export const run: Command = async ([name = ''], options, context) => {
  const roles = consoleRoles(options)
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/invite', {
    name,
    roles: [...roles],
    operator: accountName(),
  })
  context.output.line((answer as { readonly link: string }).link)
  context.output.result(answer)
  return EXIT.done
}
