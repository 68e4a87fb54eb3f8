import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/** `postern sessions list`: who is signed in, last used first. */
export const run: Command = async (_args, options, context) => {
  const user = textOption(options, 'user')
  const sessions = await withIdentity(options, context, identity =>
    user === undefined ? identity.sessions.listAll() : identity.sessions.list(user),
  )
  for (const session of sessions) {
    const seen = new Date(session.seenAt).toISOString()
    context.output.line(`${session.id}  ${session.accountId}  ${seen}  ${safe(session.address)}`)
    context.output.result(session)
  }
  return EXIT.done
}
