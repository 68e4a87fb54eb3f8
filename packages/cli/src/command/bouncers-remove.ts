import { systemClock } from '@postern/core'
import { recordOperator } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { withBouncerKeys } from './with-bouncer-keys.ts'

/** `postern bouncers remove`: exit 1 when there was no such key. */
export const run: Command = async ([name = ''], options, context) => {
  const setup = await loadSetup(options, context)
  const act = { action: 'bouncers.remove', resource: { type: 'bouncer', id: name } }
  const wasThere = await withBouncerKeys(options, context, 'existing', keys =>
    recordOperator(setup, act, systemClock, () => keys.revoke(name)),
  )
  context.output.line(
    wasThere ? `the key of ${safe(name)} no longer works` : `there is no key of ${safe(name)}`,
  )
  context.output.result({ name, removed: wasThere })
  return wasThere ? EXIT.done : EXIT.no
}
