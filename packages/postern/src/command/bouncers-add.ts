import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withBouncerKeys } from './with-bouncer-keys.ts'

/** `postern bouncers add`: the key is told this once; only its hash is kept. */
export const run: Command = async ([name = ''], options, context) => {
  const key = await withBouncerKeys(options, context, keys => keys.create(name))
  context.output.line(key)
  context.output.note('Give this key to the bouncer; it is not shown again.')
  context.output.result({ name, key })
  return EXIT.done
}
