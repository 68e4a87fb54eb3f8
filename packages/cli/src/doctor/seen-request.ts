import { createServer } from 'node:http'
import type { CompiledConfig, Listen } from '@postern/config'
import { ConfigError, Engine, type Exchange, parseAddress, type RequestSource } from '@postern/core'
import { forwardingHeader, proxySetting } from '@postern/runtime'

/** How the configuration sees one request. */
export interface SeenRequest {
  /** Other end of the connection, and whether it is a trusted proxy. */
  readonly peer: string
  readonly trusted: boolean
  /** Whom limits and bans are held against. */
  readonly client: string
  readonly scheme: string
  readonly host: string
  readonly method: string
  readonly path: string
  /** The most specific route pattern that matches; undefined when none does. */
  readonly route: string | undefined
  /** Forwarding headers as they came, in order. */
  readonly forwarding: readonly string[]
  /** What to set so that the sender is trusted; undefined when it is, or says nothing. */
  readonly setting: string | undefined
}

const SHOWN = /^(?:x-forwarded-\w+|forwarded|x-real-ip|cf-connecting-ip|true-client-ip|via)$/i

/** @param source the request as it arrived */
export function seenRequest(config: CompiledConfig, source: RequestSource): SeenRequest {
  const engine = new Engine({ trustedProxies: config.trustProxies, routes: config.routes.table })
  const exchange = engine.open(source)
  return {
    peer: exchange.peer,
    trusted: exchange.trustsPeer,
    client: exchange.client,
    scheme: exchange.scheme,
    host: exchange.host,
    method: exchange.method,
    path: exchange.path.canonical,
    route: exchange.route?.pattern,
    forwarding: shownHeaders(exchange),
    setting:
      !exchange.trustsPeer && forwardingHeader(exchange) !== undefined
        ? `trustProxies: ${proxySetting(exchange)}`
        : undefined,
  }
}

function shownHeaders({ headers }: Exchange): readonly string[] {
  const lines: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (SHOWN.test(headers[i] as string)) lines.push(`${headers[i]}: ${headers[i + 1]}`.slice(0, 500))
  return lines
}

/**
 * A request that is only described.
 * @throws ConfigError for a peer that is not an address or a header without a colon
 */
export function describedRequest(
  target: string,
  peer: string | undefined,
  headers: readonly string[],
): RequestSource {
  if (peer !== undefined && parseAddress(peer) === undefined)
    throw new ConfigError({
      place: '--peer',
      problem: `"${peer.slice(0, 60)}" is not an address`,
      hint: 'the address your proxy connects from, e.g. 10.0.0.3',
    })
  const fields = headers.flatMap(line => {
    const colon = line.indexOf(':')
    if (colon < 1)
      throw new ConfigError({
        place: '--header',
        problem: `"${line.slice(0, 60)}" is not a header`,
        hint: 'e.g. --header "X-Forwarded-For: 203.0.113.7"',
      })
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  return {
    method: 'GET',
    target,
    headers: ['Host', 'localhost', ...fields],
    peer: peer ?? '127.0.0.1',
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  }
}

/**
 * Waits for one request at a place and answers it with how it was seen. Undefined when it is stopped before.
 */
export function nextRequest(
  config: CompiledConfig,
  listen: Listen,
  signal: AbortSignal,
  onListening: (port: number) => void,
): Promise<SeenRequest | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const seen = seenRequest(config, {
        method: request.method ?? 'GET',
        target: request.url ?? '/',
        headers: request.rawHeaders,
        peer: listen.path === undefined ? request.socket.remoteAddress : '127.0.0.1',
        secure: false,
        httpVersion: request.httpVersion,
        body: undefined,
        native: undefined,
      })
      response.writeHead(200, { 'Content-Type': 'application/json', Connection: 'close' })
      response.end(`${JSON.stringify(seen, undefined, 2)}\n`, () => end(seen))
    })
    const end = (seen: SeenRequest | undefined): void => {
      server.close()
      server.closeAllConnections()
      resolve(seen)
    }
    server.once('error', reject)
    signal.addEventListener('abort', () => end(undefined), { once: true })
    const place = listen.path === undefined ? { port: listen.port, host: listen.host } : { path: listen.path }
    server.listen(place, () => {
      const address = server.address()
      onListening(typeof address === 'object' && address !== null ? address.port : listen.port)
    })
  })
}
