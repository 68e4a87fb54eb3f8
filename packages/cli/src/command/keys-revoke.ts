import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withIdentity } from './with-identity.ts'

/** `postern keys revoke`: exit 1 when there is no such live key. */
export const run: Command = async ([id = ''], options, context) => {
  const why = textOption(options, 'reason') ?? 'revoked by an operator'
  const act = { action: 'keys.revoke', resource: { type: 'apiKey', id }, data: { why } }
  const revoked = await withIdentity(
    options,
    context,
    identity => identity.apiKeys.revoke(id, 'operator', why),
    act,
  )
  context.output.line(revoked ? `${safe(id)} no longer works` : `there is no live key ${safe(id)}`)
  context.output.result({ id, revoked })
  return revoked ? EXIT.done : EXIT.no
}
