import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { checkedKey } from './with-limit-overrides.ts'

/** `postern limits reset`: asked of the running gateway, for it alone knows. */
export const run: Command = async ([given = ''], options, context) => {
  const key = checkedKey(given)
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway(dataDirectory, 'limits/reset', { key, operator: accountName() })
  context.output.line(`${safe(key)}: every limit was reset`)
  context.output.result(answer)
  return EXIT.done
}
