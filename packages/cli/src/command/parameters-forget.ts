import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { withLearnedSchemas } from './with-learned-schemas.ts'

/**
 * `postern parameters forget`: forgets what was learned, for one route or all. Exit 1 when there was nothing
 * to forget.
 */
export const run: Command = async ([route], options, context) => {
  const setup = await loadSetup(options, context)
  const answer = await withLearnedSchemas(setup, {
    command: 'parameters/forget',
    input: route === undefined ? {} : { route },
    work: learned => ({ forgotten: learned.forget(route) }),
    act: {
      action: 'parameters.forget',
      resource: { type: 'parameters' },
      ...(route !== undefined && { data: { route } }),
    },
  })
  const forgotten =
    typeof answer === 'object' && answer !== null && 'forgotten' in answer ? Number(answer['forgotten']) : 0
  const what = route === undefined ? `${forgotten} routes` : safe(route)
  context.output.line(forgotten === 0 ? 'nothing was learned of that' : `${what}: forgotten`)
  context.output.result({ forgotten })
  return forgotten === 0 ? EXIT.no : EXIT.done
}
