import type { CommandContext, CommandOptions } from './command.ts'
import { withIdentity } from './with-identity.ts'

/**
 * The id of an account that an operator named by its id or its e-mail address. Found before the act is
 * entered in the log, where ids are readable for ever, and addresses must not be. What names nobody is
 * returned as an id: the work then finds nothing to change.
 */
export async function namedAccount(
  said: string,
  options: CommandOptions,
  context: CommandContext,
): Promise<string> {
  if (!said.includes('@')) return said
  const account = await withIdentity(options, context, ({ accounts }) => accounts.named(said))
  return account?.id ?? 'unknown'
}
