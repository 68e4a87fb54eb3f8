import { compileParameterTypes, type ParameterTypes } from '@postern/inspect'
import type { LearnedSchemas } from '@postern/protocol'

/** How often what was learned is taken over. */
const EVERY = 60_000

/**
 * The learned types of parameters as inspection asks for them: read from the data directory once a minute,
 * off the path of requests. What cannot be read leaves what was known before.
 */
export class LearnedParameterTypes {
  readonly #learned: LearnedSchemas
  readonly #timer: NodeJS.Timeout
  #routes = new Map<string, ParameterTypes>()

  constructor(learned: LearnedSchemas) {
    this.#learned = learned
    this.#refresh()
    this.#timer = setInterval(() => this.#refresh(), EVERY).unref()
  }

  /** @param route method and pattern: `GET /items` */
  of(route: string): ParameterTypes | undefined {
    return this.#routes.get(route)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #refresh(): void {
    try {
      const routes = new Map<string, ParameterTypes>()
      for (const [route, types] of this.#learned.types()) {
        if (Object.keys(types).length === 0) continue
        const { typeOf } = compileParameterTypes(types, route)
        // What clients sent declares nothing: only whoever runs the backend does.
        routes.set(route, { typeOf, declares: () => false })
      }
      this.#routes = routes
    } catch {
      // The store reports its own failures; until it is back, what was known holds.
    }
  }
}
