import { ConfigError } from '@postern/core'

/** What calls an adapter, told by what it hands over. */
type Caller = 'fastify' | 'fetch' | 'hono' | 'koa' | 'node'

const CALLERS: Readonly<Record<Caller, { readonly name: string; readonly mounted: string }>> = {
  fastify: { name: 'Fastify', mounted: 'app.register(layer.fastify())' },
  fetch: { name: 'a fetch handler', mounted: 'layer.fetch(request => new Response(...))' },
  hono: { name: 'Hono', mounted: 'app.use(layer.hono())' },
  koa: { name: 'Koa', mounted: 'app.use(layer.koa())' },
  node: {
    name: 'Express or node:http',
    mounted:
      'app.use(layer.express()) in Express, layer.nest() in Nest, createServer(layer.node(handler)) without a framework',
  },
}

/**
 * The error of an adapter that could not take up what it was called with: one line that says which adapter
 * the framework needs. Asked once something has failed, so that requests of the right framework pay nothing.
 * @param adapter its name as a method of the layer
 * @param own what is to call it
 * @param given the arguments of the call
 * @param error what failed; returned as it is where the right framework called
 */
export function wrongFramework(
  adapter: string,
  own: Caller,
  given: readonly unknown[],
  error: unknown,
): unknown {
  const caller = callerOf(given)
  if (caller === own) return error
  const problem =
    caller === undefined
      ? 'was called with something other than the requests it is for'
      : `was mounted in ${CALLERS[caller].name}`
  const hint =
    caller === undefined
      ? 'docs/adapters.md shows the adapter of each framework'
      : `write ${CALLERS[caller].mounted}`
  return new ConfigError({ place: `layer.${adapter}`, problem, hint }, { cause: error })
}

function callerOf([first, second]: readonly unknown[]): Caller | undefined {
  if (first instanceof Request) return 'fetch'
  if (has(first, 'addHook') || (has(first, 'raw') && has(second, 'raw'))) return 'fastify'
  const request = has(first, 'req') ? first.req : undefined
  if (has(request, 'raw') && request.raw instanceof Request) return 'hono'
  // Before Node's own: a context of Koa passes most properties of its request on.
  if (has(request, 'socket') && has(first, 'res') && typeof second === 'function') return 'koa'
  return has(first, 'socket') && has(second, 'writeHead') ? 'node' : undefined
}

function has<Name extends string>(value: unknown, name: Name): value is Readonly<Record<Name, unknown>> {
  return typeof value === 'object' && value !== null && name in value
}
