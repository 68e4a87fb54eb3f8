import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withIdentity } from './with-identity.ts'

/** `postern keys rotate`: a new key with the same rights; the old one works for the overlap. */
export const run: Command = async ([id = ''], options, context) => {
  const overlap = textOption(options, 'overlap') ?? '24h'
  const act = { action: 'keys.rotate', resource: { type: 'apiKey', id } }
  const issued = await withIdentity(
    options,
    context,
    identity => identity.apiKeys.rotate(id, 'operator', overlap),
    act,
  )
  context.output.line(issued.text)
  context.output.note(`Store this key now; it is not shown again. The old one works for ${overlap}.`)
  context.output.result({ key: issued.text, id: issued.key.id })
  return EXIT.done
}
