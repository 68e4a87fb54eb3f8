import type { Json } from '@postern/core'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'
import { wholeOption } from './whole-option.ts'
import { withLearnedSchemas } from './with-learned-schemas.ts'

/**
 * `postern parameters propose`: what was learned so far, as JSON to review and enforce. Exit 1 when that is
 * nothing yet.
 */
export const run: Command = async (_args, options, context) => {
  const samples = wholeOption(options, 'samples', 100, { least: 1 })
  const setup = await loadSetup(options, context)
  const proposal = await withLearnedSchemas(setup, {
    command: 'parameters/propose',
    input: { samples },
    work: learned => JSON.parse(JSON.stringify(learned.propose(samples))) as Json,
  })
  const routes = typeof proposal === 'object' && proposal !== null ? Object.keys(proposal).length : 0
  await context.output.data(JSON.stringify(proposal, null, context.output.json ? undefined : 2))
  if (routes > 0)
    context.output.note(
      `${routes} ${routes === 1 ? 'route' : 'routes'}; review them, then schema: { enforce: 'FILE' }`,
    )
  else if (setup.config.schema.learn)
    context.output.note(`no route was seen ${samples} times yet; only those in "routes" are learned`)
  else context.output.note('nothing was learned: schema: { learn: true }, and ordinary traffic for some days')
  return routes === 0 ? EXIT.no : EXIT.done
}
