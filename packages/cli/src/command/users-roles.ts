import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern users roles ID|EMAIL [ROLE...]`: the roles an account has on the whole site, from the next
 * request on. Exit 1 when nothing changed.
 */
export const run: Command = async ([said = '', ...roles], options, context) => {
  const id = await namedAccount(said, options, context)
  if (id === undefined) return noAccount(said, context)
  const act = { action: 'users.roles', resource: { type: 'account', id }, data: { roles } }
  const changed = await withIdentity(options, context, ({ accounts }) => accounts.setRoles(id, roles), act)
  const now = roles.length === 0 ? 'no roles' : roles.join(', ')
  context.output.line(changed ? `${safe(said)} has ${safe(now)}` : `nothing to change for ${safe(said)}`)
  context.output.result({ id, roles, changed })
  return changed ? EXIT.done : EXIT.no
}
