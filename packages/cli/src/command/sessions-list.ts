import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { namedAccount, noAccount } from './named-account.ts'
import { safe } from './output.ts'
import { wholeList } from './whole-list.ts'
import { withIdentity } from './with-identity.ts'

/** `postern sessions list`: who is signed in, last used first. */
export const run: Command = async (_args, options, context) => {
  const user = textOption(options, 'user')
  const id = user === undefined ? undefined : await namedAccount(user, options, context)
  if (user !== undefined && id === undefined) return noAccount(user, context)
  const sessions = await withIdentity(options, context, identity =>
    id === undefined
      ? wholeList(context.output, limit => identity.sessions.listAll(limit))
      : identity.sessions.list(id),
  )
  for (const session of sessions) {
    const seen = new Date(session.seenAt).toISOString()
    context.output.line(`${session.id}  ${session.accountId}  ${seen}  ${safe(session.address)}`)
    context.output.result(session)
  }
  if (sessions.length === 0)
    context.output.line(user === undefined ? 'nobody is signed in' : `${safe(user)} is not signed in`)
  return EXIT.done
}
