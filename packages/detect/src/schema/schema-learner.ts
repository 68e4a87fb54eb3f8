import { ALLOW, type Exchange, type Guard, type Outcome } from '@postern/core'
import { type BodyValue, type BodyValues, bodyValues, hasFields, queryValues } from '../body/body-values.ts'
import type { ParameterSchema, RouteSchema, RouteSchemas } from './route-schema.ts'
import { type TextKind, textKind, type ValueType, valueLength, valueType, widerKind } from './value-shape.ts'

interface Seen {
  count: number
  readonly types: Set<ValueType>
  kind: TextKind | undefined
  longest: number
}

interface RouteSeen {
  samples: number
  bodies: number
  readonly query: Map<string, Seen>
  readonly body: Map<string, Seen>
  /** There were more parameters than are kept: nothing can be said of the others. */
  isCut: boolean
}

export interface SchemaLearnerOptions {
  /** Most routes; 1,000 unless told otherwise. Further ones are not learned. */
  readonly maxRoutes?: number
  /** Most parameters of a route; 200 unless told otherwise. */
  readonly maxParameters?: number
}

/**
 * Learns the parameters of routes from requests that went well: names, types, shapes and lengths, never a value. Only routes of the route
 * table are learned, since only they are bounded. As a guard it lets everything pass.
 */
export class SchemaLearner implements Guard {
  readonly name = 'schema-learner'
  readonly failure = 'open'
  readonly #maxRoutes: number
  readonly #maxParameters: number
  readonly #routes = new Map<string, RouteSeen>()
  /** Bodies of requests that are not answered yet. */
  readonly #bodies = new WeakMap<Exchange, BodyValues>()

  constructor(options: SchemaLearnerOptions = {}) {
    this.#maxRoutes = options.maxRoutes ?? 1_000
    this.#maxParameters = options.maxParameters ?? 200
  }

  decide(exchange: Exchange): typeof ALLOW | Promise<typeof ALLOW> {
    if (exchange.route === undefined || !hasFields(exchange)) return ALLOW
    return bodyValues(exchange).then(values => {
      this.#bodies.set(exchange, values)
      return ALLOW
    })
  }

  /** Takes a request into account if it was answered well and no guard had anything against it. */
  settle(exchange: Exchange, outcome: Outcome): void {
    const { route, observed, decision } = exchange
    if (route === undefined || observed !== undefined || decision.effect !== 'allow') return
    if (outcome.status < 200 || outcome.status >= 400) return
    const key = schemaKey(exchange.method, route.pattern)
    let seen = this.#routes.get(key)
    if (seen === undefined) {
      if (this.#routes.size >= this.#maxRoutes) return
      seen = { samples: 0, bodies: 0, query: new Map(), body: new Map(), isCut: false }
      this.#routes.set(key, seen)
    }
    seen.samples++
    const query = queryValues(exchange.path.query)
    if (!query.complete) seen.isCut = true
    this.#learn(seen, seen.query, query.fields)
    const body = this.#bodies.get(exchange)
    if (body?.kind === 'fields') {
      seen.bodies++
      this.#learn(seen, seen.body, body.fields)
    } else if (body?.kind === 'unreadable') seen.isCut = true
  }

  /**
   * What could be enforced: routes with enough requests. Lengths get double their longest as room; a parameter is required when every
   * request had it; a route is closed when nothing of it had to be left out.
   * @param minSamples requests a route needs; 100 unless told otherwise
   */
  propose(minSamples = 100): RouteSchemas {
    const schemas: Record<string, RouteSchema> = Object.create(null) as Record<string, RouteSchema>
    for (const [route, seen] of [...this.#routes].sort(([a], [b]) => (a < b ? -1 : 1))) {
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

  #learn(route: RouteSeen, parameters: Map<string, Seen>, fields: ReadonlyMap<string, BodyValue>): void {
    for (const [name, value] of fields) {
      let seen = parameters.get(name)
      if (seen === undefined) {
        if (parameters.size >= this.#maxParameters || name.length > 200) {
          route.isCut = true
          continue
        }
        seen = { count: 0, types: new Set(), kind: undefined, longest: 0 }
        parameters.set(name, seen)
      }
      seen.count++
      seen.types.add(valueType(value))
      seen.longest = Math.max(seen.longest, valueLength(value))
      if (typeof value === 'string') {
        const kind = textKind(value)
        seen.kind = seen.kind === undefined ? kind : widerKind(seen.kind, kind)
      }
    }
  }
}

/** The name a route's schema goes by: its method and pattern. */
export function schemaKey(method: string, pattern: string): string {
  return pattern.startsWith('/') ? `${method === 'HEAD' ? 'GET' : method} ${pattern}` : pattern
}

/** That texts were single words so far says little: people search for two words sooner or later. */
function isTelling(kind: TextKind, count: number): boolean {
  return kind !== 'text' && (kind !== 'word' || count >= 1_000)
}

function proposals(
  parameters: ReadonlyMap<string, Seen>,
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
