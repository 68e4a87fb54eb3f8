import type { Json } from '@postern/core'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

interface Listed {
  readonly [field: string]: Json
  readonly name: string
  readonly roles: readonly string[]
  readonly isInvited: boolean
}

/** `postern console operators`: who may sign in to the console of the running gateway. */
export const run: Command = async (_args, options, context) => {
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'console/operators', {})
  for (const operator of (answer as { readonly operators: readonly Listed[] }).operators) {
    const { name, roles, isInvited } = operator
    context.output.line(`${safe(name)}  ${roles.join(' ')}${isInvited ? '  (invited)' : ''}`)
    context.output.result(operator)
  }
  return EXIT.done
}
