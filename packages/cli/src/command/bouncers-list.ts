import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withBouncerKeys } from './with-bouncer-keys.ts'

/** `postern bouncers list` */
export const run: Command = async (_args, options, context) => {
  const bouncers = await withBouncerKeys(options, context, keys => keys.list())
  for (const { name, createdAt } of bouncers)
    context.output.line(`${name.padEnd(30)} since ${new Date(createdAt).toISOString()}`)
  context.output.result({ bouncers })
  return EXIT.done
}
