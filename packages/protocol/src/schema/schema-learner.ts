import {
  ALLOW,
  type BodyValues,
  bodyValues,
  type Exchange,
  type Guard,
  networkOf,
  type Outcome,
  queryValues,
} from '@postern/core'
import { type LearnedRoute, learnFields, newRoute } from './learned-route.ts'
import { proposeSchemas } from './propose-schemas.ts'
import type { RouteSchemas } from './route-schema.ts'

/** Default for the most routes, and for the most parameters of a part of a route, that are learned. */
export const MOST_LEARNED: { readonly routes: number; readonly parameters: number } = {
  routes: 1_000,
  parameters: 200,
}

/** How many routes and parameters are learned at most. */
export interface SchemaLearnerOptions {
  /** Most routes; further ones are not learned. Default: 1,000. */
  readonly maxRoutes?: number
  /** Most parameters of a route. Default: 200. */
  readonly maxParameters?: number
}

/**
 * Learns the parameters of routes from requests that went well: names, types, shapes and
 * lengths, never a value. Only routes of the route table are learned, because only their number
 * is bounded. As a guard it allows everything. Keeps what it learned in memory;
 * `LearnedSchemas` writes it to the data directory.
 */
export class SchemaLearner implements Guard {
  readonly name = 'schema-learner'
  readonly failure = 'open'
  readonly #maxRoutes: number
  readonly #maxParameters: number
  readonly #routes = new Map<string, LearnedRoute>()
  /** Bodies of requests that are not answered yet. */
  readonly #bodies = new WeakMap<Exchange, BodyValues>()

  constructor(options: SchemaLearnerOptions = {}) {
    this.#maxRoutes = options.maxRoutes ?? MOST_LEARNED.routes
    this.#maxParameters = options.maxParameters ?? MOST_LEARNED.parameters
  }

  /** By route, since the start or the last `clear`. */
  get learned(): ReadonlyMap<string, LearnedRoute> {
    return this.#routes
  }

  /** Discards what it learned, for a caller that has stored it. */
  clear(): void {
    this.#routes.clear()
  }

  decide(exchange: Exchange): typeof ALLOW | Promise<typeof ALLOW> {
    if (exchange.route === undefined || !exchange.hasBody) return ALLOW
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
      seen = newRoute()
      this.#routes.set(key, seen)
    }
    seen.samples++
    const query = queryValues(exchange.path.query)
    if (!query.complete) seen.isCut = true
    const sender = { actor: networkOf(exchange.client), time: exchange.time }
    learnFields(seen, 'query', query.fields, this.#maxParameters, sender)
    const body = this.#bodies.get(exchange)
    if (body?.kind === 'fields') {
      seen.bodies++
      if (!body.complete) seen.isCut = true
      learnFields(seen, 'body', body.fields, this.#maxParameters, sender)
    } else if (body?.kind === 'unreadable') seen.isCut = true
  }

  /**
   * The schemas that could be enforced from what this process learned.
   * @param minSamples requests that a route needs. Default: 100
   */
  propose(minSamples = 100): RouteSchemas {
    return proposeSchemas(this.#routes, minSamples)
  }
}

/** The name of a route's schema: its method and pattern. */
function schemaKey(method: string, pattern: string): string {
  return pattern.startsWith('/') ? `${method === 'HEAD' ? 'GET' : method} ${pattern}` : pattern
}
