import type { Json } from '@postern/core'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { withLearnedSchemas } from './with-learned-schemas.ts'

/**
 * `postern parameters types [ROUTE]`: the types of parameters that were learned, as lines to paste under
 * `routes`, where they can be changed. Exit 1 when there are none.
 */
export const run: Command = async ([route], options, context) => {
  const setup = await loadSetup(options, context)
  const answer = await withLearnedSchemas(setup, {
    command: 'parameters/types',
    work: learned => ({
      types: Object.fromEntries(learned.types()) as Json,
    }),
  })
  const types = typesIn(answer).filter(
    ([name, known]) => (route === undefined || name === route) && Object.keys(known).length > 0,
  )
  for (const [name, known] of types) {
    context.output.line(`'${safe(name)}': { inspect: { parameters: {`)
    for (const [place, type] of Object.entries(known)) context.output.line(`  '${safe(place)}': '${type}',`)
    context.output.line('} } },')
  }
  if (types.length === 0)
    context.output.note(
      'no type is certain yet: it takes schema: { learn: true }, 20 networks and three days',
    )
  context.output.result({ types: Object.fromEntries(types) })
  return types.length === 0 ? EXIT.no : EXIT.done
}

/** The types of an answer about what was learned, by route. */
export function typesIn(answer: Json): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  if (typeof answer !== 'object' || answer === null || !('types' in answer)) return []
  const { types } = answer as { readonly types: Readonly<Record<string, Readonly<Record<string, string>>>> }
  return Object.entries(types)
}
