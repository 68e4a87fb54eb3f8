import { ConfigError } from '@postern/core'
import { askGateway } from '../admin/admin-client.ts'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/** `postern parameters propose`: what the running gateway learned, as JSON to review and enforce. Exit 1 when that is nothing yet. */
export const run: Command = async (_args, options, context) => {
  const samples = Number(textOption(options, 'samples') ?? '100')
  if (!Number.isInteger(samples) || samples < 1)
    throw new ConfigError({ place: '--samples', problem: 'is not a number of requests', mend: 'e.g. 100' })
  const { dataDirectory } = await loadSetup(options, context)
  const proposal = await askGateway(dataDirectory, 'parameters/propose', { samples })
  const routes = typeof proposal === 'object' && proposal !== null ? Object.keys(proposal).length : 0
  await context.output.data(JSON.stringify(proposal, null, 2))
  context.output.note(
    routes === 0
      ? `no route was seen ${samples} times yet; only those in "routes" are learned`
      : `${routes} routes; review them, then schema: { enforce: 'FILE' }`,
  )
  return routes === 0 ? EXIT.no : EXIT.done
}
