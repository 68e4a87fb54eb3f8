import type { CommandContext, CommandOptions } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/**
 * The id of an account that an operator named by its id or its e-mail address; undefined when there is none.
 * Found before the act is entered in the log, where ids are readable forever, and addresses must not be.
 */
export async function namedAccount(
  said: string,
  options: CommandOptions,
  context: CommandContext,
): Promise<string | undefined> {
  const account = await withIdentity(options, context, ({ accounts }) => accounts.named(said))
  return account?.id
}

/** Says that nobody has this id or e-mail address. */
export function noAccount(said: string, { output }: CommandContext): ExitCode {
  output.line(`there is no account ${safe(said)}`)
  output.note('postern users list shows all accounts')
  output.result({ account: null })
  return EXIT.no
}
