import type { NewApiKey } from '@postern/identity/built-in'
import { accountName } from '@postern/runtime'
import { type Command, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { makerNamed, withIdentity } from './with-identity.ts'

/** `postern keys create`: a key of a service, shown this once. */
export const run: Command = async ([service = ''], options, context) => {
  const expiresIn = textOption(options, 'expires')
  const environment = textOption(options, 'environment')
  const wish: NewApiKey = {
    name: textOption(options, 'name') ?? service,
    scopes: listOption(options, 'scope'),
    networks: listOption(options, 'network'),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(environment !== undefined && { environment }),
  }
  const name = textOption(options, 'as') ?? accountName()
  const act = { action: 'keys.create', resource: { type: 'service', id: service }, data: { as: name } }
  const issued = await withIdentity(
    options,
    context,
    async identity =>
      identity.apiKeys.create(
        { kind: 'service', id: service },
        { ...wish, createdBy: await makerNamed(identity, name) },
      ),
    act,
  )
  context.output.line(issued.text)
  context.output.note(`A key of the service ${safe(service)}. Store it now; it is not shown again.`)
  context.output.result({ key: issued.text, id: issued.key.id })
  return EXIT.done
}
