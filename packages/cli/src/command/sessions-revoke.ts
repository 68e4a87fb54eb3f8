import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/** `postern sessions revoke USER`, all of an account or one with `--session ID`: from the next request on, on every node. */
export const run: Command = async ([user = ''], options, context) => {
  const session = textOption(options, 'session')
  const act = {
    action: 'sessions.revoke',
    resource: { type: 'account', id: user },
    data: { session: session ?? 'all' },
  }
  const revoked = await withIdentity(
    options,
    context,
    async ({ sessions }) => {
      const live = (await sessions.list(user)).filter(({ id }) => session === undefined || id === session)
      for (const { id } of live) await sessions.revoke(user, id)
      return live.length
    },
    act,
  )
  context.output.line(`${revoked} sessions of ${safe(user)} no longer hold`)
  context.output.result({ user, revoked })
  return revoked > 0 ? EXIT.done : EXIT.no
}
