import { ConfigError } from '@postern/core'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withVault } from './with-vault.ts'

/** `postern vault erase SUBJECT --yes`. */
export const run: Command = async ([subject = ''], options, context) => {
  if (options['yes'] !== true)
    throw new ConfigError({ place: 'vault erase', problem: 'cannot be undone', hint: 'add --yes' })
  return withVault(options, context, async ({ vault }) => {
    const wasThere = await vault.erase(subject)
    context.output.line(wasThere ? 'erased: no record of this subject opens any more' : 'nothing to erase')
    context.output.result({ erased: wasThere })
    return wasThere ? EXIT.done : EXIT.no
  })
}
