import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import { type Command, textOption } from './command.ts'
import { consoleRoles } from './console-roles.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/** `postern console link`: asked of the running gateway, which alone knows who is signed in. */
export const run: Command = async (_args, options, context) => {
  const roles = consoleRoles(options)
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/link', {
    name: textOption(options, 'name') ?? accountName(),
    operator: accountName(),
    ...(roles.length > 0 && { roles: [...roles] }),
  })
  const { link } = answer as { readonly link: string }
  context.output.line(link)
  context.output.result(answer)
  return EXIT.done
}
