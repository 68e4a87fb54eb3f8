import type { Json } from '@postern/core'
import { openApiTypes } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { typesIn } from './parameters-types.ts'
import { loadSetup, type Setup } from './setup.ts'
import { withLearnedSchemas } from './with-learned-schemas.ts'

/** Where a type comes from; the first that knows a parameter counts. */
type Source = 'routes' | 'inspect.parameters' | 'openapi' | 'learned'

interface Known {
  /** Method and pattern; `every route` for those that hold everywhere. */
  readonly route: string
  readonly place: string
  readonly type: string
  readonly source: Source
}

/**
 * `postern parameters list [ROUTE]`: what is known about each parameter, and from where. In the order in
 * which it counts: the configuration of the route, that of all routes, the OpenAPI document, the learned.
 * Exit 1 when nothing is known.
 */
export const run: Command = async ([route], options, context) => {
  const setup = await loadSetup(options, context)
  const answer = await withLearnedSchemas(setup, {
    command: 'parameters/types',
    work: learned => ({
      types: Object.fromEntries(learned.types()) as Json,
    }),
  })
  const all = [
    ...configured(setup),
    ...typesIn(answer).flatMap(([name, types]) => rows(name, types, 'learned')),
  ]
  const known = all.filter(one => route === undefined || one.route === route)
  for (const { route: name, place, type, source } of known)
    context.output.line(`${safe(name).padEnd(28)} ${safe(place).padEnd(28)} ${type.padEnd(10)} ${source}`)
  if (known.length === 0)
    context.output.note(
      'nothing is known: declare types under "routes", name a document in inspect.openapi, or learn them',
    )
  context.output.result({ parameters: known })
  return known.length === 0 ? EXIT.no : EXIT.done
}

function configured({ config, file }: Setup): readonly Known[] {
  const { inspect, routes } = config
  const declared = [...routes.parameters].flatMap(([route, types]) => rows(route, types, 'routes'))
  if (inspect === false) return declared
  const described = Object.entries(openApiTypes(inspect, file.folder) ?? {})
  return [
    ...declared,
    ...rows('every route', inspect.parameters ?? {}, 'inspect.parameters'),
    ...described.flatMap(([route, types]) => rows(route, types, 'openapi')),
  ]
}

function rows(route: string, types: Readonly<Record<string, string>>, source: Source): readonly Known[] {
  return Object.entries(types).map(([place, type]) => ({ route, place, type, source }))
}
