import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { wholeList } from './whole-list.ts'
import { withIdentity } from './with-identity.ts'

/** `postern users list`: accounts, newest first. */
export const run: Command = async (_args, options, context) => {
  const accounts = await withIdentity(options, context, identity =>
    wholeList(context.output, limit => identity.accounts.list(limit)),
  )
  for (const account of accounts) {
    const state = account.disabledAt === undefined ? 'active' : 'disabled'
    const roles = account.roles.length === 0 ? '' : `  ${account.roles.join(' ')}`
    context.output.line(`${account.id}  ${state.padEnd(8)}  ${safe(account.email)}${roles}`)
    context.output.result(account)
  }
  if (accounts.length === 0) context.output.line('nobody has an account yet')
  return EXIT.done
}
