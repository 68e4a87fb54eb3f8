import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withBouncerKeys } from './with-bouncer-keys.ts'

/** `postern bouncers list` */
export const run: Command = async (_args, options, context) => {
  const bouncers = await withBouncerKeys(options, context, 'existing', keys => keys.list())
  for (const { name, createdAt } of bouncers)
    context.output.line(`${name.padEnd(30)} since ${new Date(createdAt).toISOString()}`)
  if (bouncers.length === 0) context.output.line('no bouncer has a key: postern bouncers add NAME')
  context.output.result({ bouncers })
  return EXIT.done
}
