import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern users disable ID|EMAIL`, and with `--undo` back: from the next request on. Exit 1 when nothing
 * changed.
 */
export const run: Command = async ([said = ''], options, context) => {
  const id = await namedAccount(said, options, context)
  if (id === undefined) return noAccount(said, context)
  const isUndo = options['undo'] === true
  const reason = textOption(options, 'reason') ?? ''
  const act = {
    action: isUndo ? 'users.enable' : 'users.disable',
    resource: { type: 'account', id },
    data: { reason },
  }
  const changed = await withIdentity(
    options,
    context,
    identity => (isUndo ? identity.enableAccount(id) : identity.disableAccount(id)),
    act,
  )
  context.output.line(
    changed ? `${safe(said)} is ${isUndo ? 'active' : 'disabled'}` : `nothing to change for ${safe(said)}`,
  )
  context.output.result({ id, changed })
  return changed ? EXIT.done : EXIT.no
}
