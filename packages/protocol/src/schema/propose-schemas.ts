import type { LearnedParameter, LearnedRoute } from './learned-route.ts'
import type { ParameterSchema, RouteSchema, RouteSchemas } from './route-schema.ts'
import type { TextKind } from './value-shape.ts'

/**
 * The schemas that could be enforced: routes with enough requests. Length limits are twice
 * the longest seen; a parameter is required when every request had it; a route is closed when
 * none of its parameters had to be left out.
 * @param minSamples requests a route needs
 */
export function proposeSchemas(
  learned: Iterable<readonly [string, LearnedRoute]>,
  minSamples: number,
): RouteSchemas {
  const schemas: Record<string, RouteSchema> = Object.create(null) as Record<string, RouteSchema>
  for (const [route, seen] of [...learned].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (seen.samples < minSamples) continue
    schemas[route] = {
      query: proposals(seen.query, seen.samples),
      body: proposals(seen.body, seen.bodies === seen.samples ? seen.samples : Number.POSITIVE_INFINITY),
      samples: seen.samples,
      closed: !seen.isCut,
    }
  }
  return schemas
}

/** That all texts so far were single words proves little: sooner or later someone searches for two. */
function isTelling(kind: TextKind, count: number): boolean {
  return kind !== 'text' && (kind !== 'word' || count >= 1_000)
}

function proposals(
  parameters: ReadonlyMap<string, LearnedParameter>,
  samples: number,
): Readonly<Record<string, ParameterSchema>> {
  const proposed: Record<string, ParameterSchema> = Object.create(null) as Record<string, ParameterSchema>
  for (const [name, { count, types, kind, longest }] of [...parameters].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const hasLength = types.has('string') || types.has('array')
    proposed[name] = {
      types: [...types].sort(),
      ...(kind !== undefined && isTelling(kind, count) && { kind }),
      ...(hasLength && { maxLength: Math.max(16, longest * 2) }),
      required: count >= samples,
    }
  }
  return proposed
}
