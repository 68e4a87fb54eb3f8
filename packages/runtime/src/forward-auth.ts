import type { CompiledConfig } from '@postern/config'
import { ConfigError } from '@postern/core'
import { type ForwardDialect, forwardAuth } from '@postern/http'
import type { Runtime } from './runtime.ts'

/** Which proxy asks, and under which path. */
export interface ForwardAuthSetup {
  readonly dialect: ForwardDialect
  /** Taken off the path that the proxy asks with: Envoy's `path_prefix`. None unless given. */
  readonly prefix?: string | undefined
}

/**
 * The endpoint that nginx, Traefik, Caddy or Envoy asks before it forwards. It follows a reload; only
 * `trustProxies` may ask.
 * @throws ConfigError when `trustProxies` names nobody: then nobody could ask
 */
export function forwardAuthEndpoint(
  runtime: Runtime,
  { dialect, prefix }: ForwardAuthSetup,
): ReturnType<typeof forwardAuth> {
  if (runtime.config.trustProxies.isEmpty)
    throw new ConfigError({
      place: 'trustProxies',
      problem:
        'names nobody: what a proxy says of method, path and client is not trusted from anyone, so nobody may ask',
      hint: 'trustProxies: [loopback], or the address of the proxy',
    })
  const endpointOf = (config: CompiledConfig): ReturnType<typeof forwardAuth> =>
    forwardAuth(() => runtime.engine, {
      dialect,
      trusted: config.trustProxies,
      ...(prefix !== undefined && { prefix }),
    })
  let config = runtime.config
  let endpoint = endpointOf(config)
  return (request, response) => {
    if (config !== runtime.config) {
      config = runtime.config
      endpoint = endpointOf(config)
    }
    endpoint(request, response)
  }
}
