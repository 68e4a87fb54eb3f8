import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern users delete ID|EMAIL`: the account with its sessions, passkeys, keys and grants. Exit 1 when
 * there is none.
 */
export const run: Command = async ([said = ''], options, context) => {
  const id = await namedAccount(said, options, context)
  if (id === undefined) return noAccount(said, context)
  const act = { action: 'users.delete', resource: { type: 'account', id } }
  const deleted = await withIdentity(options, context, identity => identity.deleteAccount(id), act)
  context.output.line(deleted ? `${safe(said)} is deleted` : `there is no account ${safe(said)}`)
  context.output.result({ id, deleted })
  return deleted ? EXIT.done : EXIT.no
}
