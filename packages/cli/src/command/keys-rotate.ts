import { accountName } from '@postern/runtime'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { makerNamed, withIdentity } from './with-identity.ts'

/** `postern keys rotate`: a new key with the same rights; the old one works for the overlap. */
export const run: Command = async ([id = ''], options, context) => {
  const overlap = textOption(options, 'overlap') ?? '24h'
  const name = textOption(options, 'as') ?? accountName()
  const act = { action: 'keys.rotate', resource: { type: 'apiKey', id }, data: { as: name } }
  const issued = await withIdentity(
    options,
    context,
    async identity => identity.apiKeys.rotate(id, 'operator', overlap, await makerNamed(identity, name)),
    act,
  )
  context.output.line(issued.text)
  context.output.note(`Store this key now; it is not shown again. The old one works for ${overlap}.`)
  context.output.result({ key: issued.text, id: issued.key.id })
  return EXIT.done
}
