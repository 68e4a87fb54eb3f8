import { systemClock } from '@postern/core'
import { recordOperator } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'
import { withBouncerKeys } from './with-bouncer-keys.ts'

/** `postern bouncers add`: the key is printed once; only its hash is kept. */
export const run: Command = async ([name = ''], options, context) => {
  const setup = await loadSetup(options, context)
  const act = { action: 'bouncers.add', resource: { type: 'bouncer', id: name } }
  const key = await recordOperator(setup, act, systemClock, () =>
    withBouncerKeys(options, context, 'made', keys => keys.create(name)),
  )
  context.output.line(key)
  context.output.note('Give this key to the bouncer; it is not shown again.')
  const { crowdsec } = setup.config
  if (crowdsec?.listen === undefined)
    context.output.note(
      'No API for bouncers is served yet: set crowdsec: { listen: 127.0.0.1:8081 } and start the gateway again.',
    )
  context.output.result({ name, key })
  return EXIT.done
}
