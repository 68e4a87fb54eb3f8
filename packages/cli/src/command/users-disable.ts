import { type Command, type CommandContext, type CommandOptions, textOption } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/**
 * `postern users disable ID|EMAIL`, and with `--undo` what `postern users enable` does: from the next request
 * on. Exit 1 when nothing changed.
 */
export const run: Command = ([said = ''], options, context) =>
  setState(said, options['undo'] === true ? 'active' : 'disabled', options, context)

/** Disables an account or lets it sign in again, and enters that in the log. */
export async function setState(
  said: string,
  state: 'active' | 'disabled',
  options: CommandOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const id = await namedAccount(said, options, context)
  if (id === undefined) return noAccount(said, context)
  const isEnabled = state === 'active'
  const reason = textOption(options, 'reason') ?? ''
  const act = {
    action: isEnabled ? 'users.enable' : 'users.disable',
    resource: { type: 'account', id },
    data: { reason },
  }
  const changed = await withIdentity(
    options,
    context,
    identity => (isEnabled ? identity.enableAccount(id) : identity.disableAccount(id)),
    act,
  )
  context.output.line(changed ? `${safe(said)} is ${state}` : `nothing to change for ${safe(said)}`)
  context.output.result({ id, changed })
  return changed ? EXIT.done : EXIT.no
}
