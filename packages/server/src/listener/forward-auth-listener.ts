import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { LoadedConfig } from '@postern/config'
import { boundedServer, ConfigError, urlHost } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import { forwardAuthEndpoint, PortInUse } from '@postern/runtime'
import { readCertificate, requireNoApplication } from '../plan/gateway-plan.ts'
import { fittedCaps, openFileLimit } from '../plan/open-files.ts'
import type { Listener } from './listener.ts'

/** Longer than proxies keep idle connections to what they ask, so that they close first. */
const KEEP_ALIVE_MS = 75_000

/**
 * Answers a proxy that asks before it forwards.
 * @throws ConfigError when the configuration names no dialect or trusts nobody; PortInUse
 */
export async function startForwardAuthListener(
  { config, file }: LoadedConfig,
  runtime: Runtime,
): Promise<Listener> {
  requireNoApplication(config)
  const { dialect, prefix, listen } = config.forwardAuth
  if (dialect === undefined)
    throw new ConfigError({
      place: 'forwardAuth.dialect',
      problem: 'is missing',
      hint: 'postern forward-auth --dialect nginx, or traefik, caddy, envoy',
    })
  const endpoint: RequestListener = forwardAuthEndpoint(runtime, { dialect, prefix })
  const { connections } = fittedCaps(config.caps, 1, openFileLimit())
  const bounds = { connections }
  const certificate = config.tls && readCertificate(config.tls, file.folder)
  const server =
    certificate === undefined
      ? boundedServer(createServer, endpoint, bounds)
      : boundedServer(
          (given, answer) => createTlsServer({ ...given, ...certificate }, answer),
          endpoint,
          bounds,
        )
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.headersTimeout = 10_000
  server.requestTimeout = 15_000
  const { host, port } = listen
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(PortInUse.explain(error, host, port, '--listen')))
    server.listen(port, host, resolve)
  })
  const closed = Promise.withResolvers<void>()
  const bound = (server.address() as AddressInfo).port
  return {
    url: `${config.tls === undefined ? 'http' : 'https'}://${urlHost(host)}:${bound}`,
    health: () => runtime.health(),
    lost: () => 0,
    reload: async (_text, certificate) => {
      if (certificate !== undefined && 'setSecureContext' in server) server.setSecureContext(certificate)
      return []
    },
    close: grace => {
      const late = setTimeout(() => server.closeAllConnections(), grace)
      void closed.promise.then(() => clearTimeout(late))
      server.close(() => closed.resolve())
      server.closeIdleConnections()
      return closed.promise
    },
  }
}
