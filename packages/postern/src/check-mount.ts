import { ConfigError } from '@postern/core'

/**
 * Refuses `app.use(layer.express)`: the framework calls it with a request and waits, because what comes back
 * is the middleware and nobody calls that.
 * @param given what the adapter was called with
 * @throws ConfigError that shows the call
 */
export function checkCalled(name: string, mounted: string, given: readonly unknown[]): void {
  if (given.length === 0) return
  const [only] = given
  const isPlain =
    typeof only === 'object' && only !== null && Object.getPrototypeOf(only) === Object.prototype
  throw new ConfigError({
    place: `layer.${name}`,
    ...(given.length === 1 && isPlain
      ? { problem: 'takes no options', hint: 'the configuration is that of postern({ config: { ... } })' }
      : { problem: 'was handed over without being called', hint: `${mounted}(layer.${name}())` }),
  })
}

/** @throws ConfigError when an adapter that wraps a handler got none */
export function checkHandler(name: string, example: string, handler: unknown): void {
  if (typeof handler === 'function') return
  throw new ConfigError({ place: `layer.${name}`, problem: 'takes your handler', hint: example })
}

/**
 * Refuses an application where a server belongs: those of Express, Fastify and Koa get no upgrades, so
 * nothing would be decided.
 * @throws ConfigError that says where the server is
 */
export function checkServer(server: unknown): void {
  const isServer =
    typeof server === 'object' && server !== null && 'emit' in server && !('middleware' in server)
  if (isServer && typeof server.emit === 'function') return
  throw new ConfigError({
    place: 'layer.guardUpgrades',
    problem: 'takes a server of node:http, not an application',
    hint: 'what app.listen(...) returns in Express and Koa, app.server in Fastify, serve(...) in Hono, or app.getHttpServer() in Nest',
  })
}
