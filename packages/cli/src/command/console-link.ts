import { ConfigError } from '@postern/core'
import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import { type Command, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

const ROLES: readonly string[] = ['viewer', 'operator', 'approver']

/** `postern console link`: asked of the running gateway, which alone knows who is signed in. */
export const run: Command = async (_args, options, context) => {
  const roles = listOption(options, 'role')
  const unknown = roles.find(role => !ROLES.includes(role))
  if (unknown !== undefined)
    throw new ConfigError({
      place: '--role',
      problem: `"${unknown.slice(0, 40)}" is not a role`,
      hint: ROLES.join(', '),
    })
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/link', {
    name: textOption(options, 'name') ?? accountName(),
    ...(roles.length > 0 && { roles }),
  })
  const { link } = answer as { readonly link: string }
  context.output.line(link)
  context.output.result(answer)
  return EXIT.done
}
