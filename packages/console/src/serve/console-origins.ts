import type { IncomingMessage } from 'node:http'
import { urlHost } from '@postern/core'

/**
 * Where the console may be asked for: everything else comes from a page of somebody else, or by a rebound
 * name.
 */
export interface ConsoleOrigins {
  /** Whether `Host` is one that the console has. */
  hasHost(request: IncomingMessage): boolean
  /** Whether the request was made by a page of the console itself, or by no page at all. */
  isOwn(request: IncomingMessage): boolean
}

/**
 * The origins of a console.
 * @param address where it listens
 * @param others origins of proxies in front of it
 */
export function consoleOrigins(
  { host, port }: { readonly host: string; readonly port: number },
  others: readonly string[],
): ConsoleOrigins {
  const literal = urlHost(host)
  // An address cannot be rebound. A name can, so only localhost and the configured names are taken.
  const isUnspecified = host === '0.0.0.0' || host === '::'
  const origins = new Set([
    `http://localhost:${port}`,
    `http://127.0.0.1:${port}`,
    `http://[::1]:${port}`,
    `http://${literal}:${port}`,
    ...others.map(origin => new URL(origin).origin),
  ])
  const hosts = new Set([...origins].map(origin => new URL(origin).host))
  const isAddress = (text: string): boolean => /^(?:[\d.]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(text)
  const hasHost = ({ headers }: IncomingMessage): boolean => {
    const asked = headers.host?.toLowerCase() ?? ''
    return hosts.has(asked) || (isUnspecified && isAddress(asked))
  }
  return {
    hasHost,
    isOwn: request => {
      const { origin, host: asked = '' } = request.headers
      // Pages of other ports of this host are "same-site", and as foreign as any other.
      const site = request.headers['sec-fetch-site']
      if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
      if (origin === undefined) return true
      return origins.has(origin) || (isUnspecified && isAddress(asked) && origin === `http://${asked}`)
    },
  }
}
