import type { EventEmitter } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerOptions } from 'node:http'
import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2'
import type { Server as NetServer, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { urlHost } from '@postern/core'
import type { ConnectionLedger } from '../connection/connection-ledger.ts'
import { holdPort } from '../connection/held-port.ts'
import type { ProxyProtocolGate } from '../connection/proxy-protocol-gate.ts'
import { SlowLane } from '../connection/slow-lane.ts'
import type { GatewaySettings, ListenOptions, TlsOptions } from '../options/gateway-options.ts'
import { PacedWork } from '../pacing/paced-work.ts'
import { Http1Response } from './http1-downstream.ts'
import { asksForWebSocket, type RequestIntake } from './request-intake.ts'

const MIN_TLS = 'TLSv1.2'
/**
 * New connections of addresses that have many already: 1,600 in a second. A storm of them takes half of one
 * core at most, and never more than a few milliseconds in one go.
 */
const CROWD_PACE = { each: () => 16, every: 10 }
/** How often heads that are late are looked for: often, so that there are never many at once. */
const LATE_HEADS_MS = 100

/** The longest that a drip of a slow client waits to be read, among thousands of such clients. */
const LONGEST_WAIT_MS = 4_000
/** Turns that every slow client gets before it could be late. */
const TURNS_IN_TIME = 2.5

/** The server that faces clients. */
export interface Listener {
  readonly url: string
  /** Accepts no more connections. */
  stop(): Promise<void>
  /** Closes connections without a request. */
  closeIdle(): void
  /**
   * Shows another certificate to connections from now on. @throws Error when there is no TLS here, or
   * certificate and key do not fit
   */
  renew(tls: TlsOptions): void
}

export interface ListenerOptions {
  readonly listen: ListenOptions
  readonly settings: GatewaySettings
  readonly intake: RequestIntake
  readonly ledger: ConnectionLedger
  readonly gate: ProxyProtocolGate | undefined
}

/**
 * Listens. Node's strict parser, its limits and its timeouts are the first line: 16 KiB of headers, a time
 * for the head, no silent dropping of headers beyond a count.
 * @throws Error of the operating system when the address is unavailable
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { listen, ledger, gate, settings } = options
  const server = listen.tls === undefined ? plainServer(options) : secureServer(options)
  const lane = slowLane(options)
  if (listen.tls === undefined) server.on('connection', (socket: Socket) => lane.add(socket))
  else
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') lane.add(socket)
    })
  const port = listen.held ?? (await holdPort(listen))
  const open = (socket: Socket): void => {
    if (socket.destroyed) return
    if (gate === undefined) server.emit('connection', socket)
    else gate.admit(socket, settings.timeouts.head, () => server.emit('connection', socket))
    socket.resume()
  }
  const crowd = new PacedWork({ ...CROWD_PACE, now: () => performance.now(), later: setLater })
  port.adopt(socket => {
    const admission = ledger.admit(socket)
    if (admission === 'admitted') open(socket)
    else if (admission === 'crowded') {
      // Where it waits for its turn, its client may go away.
      socket.on('error', () => socket.destroy())
      crowd.add(() => open(socket))
    }
  })
  // Node starts its watch over slow heads when a server listens, and this one only takes what the port hands
  // over.
  server.emit('listening')
  const host = listen.host ?? '127.0.0.1'
  const shown = urlHost(host)
  const scheme = listen.tls === undefined ? 'http' : 'https'
  return {
    url: listen.path === undefined ? `${scheme}://${shown}:${port.port}` : `unix:${listen.path}`,
    stop: () => port.close(),
    closeIdle: () => void server.close(),
    renew: ({ cert, key }) => {
      if (!('setSecureContext' in server)) throw new Error('the gateway was started without TLS')
      server.setSecureContext({ cert, key, minVersion: MIN_TLS })
    },
  }
}

function slowLane({ settings: { timeouts }, intake }: ListenerOptions): SlowLane {
  const shortest = Math.min(timeouts.head, timeouts.bodyProgress)
  const longestWait = Math.min(LONGEST_WAIT_MS, shortest / TURNS_IN_TIME)
  return new SlowLane({ standing: socket => intake.standing(socket), longestWait, later: setLater })
}

function http1Options(
  settings: GatewaySettings,
): ServerOptions<typeof IncomingMessage, typeof Http1Response> {
  const { limits, timeouts } = settings
  return {
    ServerResponse: Http1Response,
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.head,
    // The body has its own clock, which runs only while the client makes no progress.
    requestTimeout: 0,
    keepAliveTimeout: timeouts.idle,
    connectionsCheckingInterval: Math.min(LATE_HEADS_MS, timeouts.head),
    // Missing and repeated hosts are answered by us, with an explanation.
    requireHostHeader: false,
    noDelay: true,
  }
}

function plainServer({ settings, intake }: ListenerOptions): NetServer {
  const server = createHttpServer({ ...http1Options(settings), optimizeEmptyRequests: true })
  server.maxHeadersCount = 0
  attach(server, intake)
  return server
}

function secureServer({ listen, settings, intake }: ListenerOptions): Http2SecureServer {
  const { limits, timeouts } = settings
  const options: SecureServerOptions = {
    ...(http1Options(settings) as object),
    allowHTTP1: true,
    cert: listen.tls?.cert,
    key: listen.tls?.key,
    minVersion: MIN_TLS,
    handshakeTimeout: timeouts.head,
    unknownProtocolTimeout: timeouts.head,
    maxHeaderListPairs: 256,
    maxSessionMemory: 10,
    // Backends send `Content-Type` or `ETag` twice, and what goes through in HTTP/1 goes through here.
    strictSingleValueFields: false,
    settings: {
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headerBytes,
      enableConnectProtocol: false,
    },
  }
  const server = createSecureServer(options)
  Object.assign(server, { maxHeadersCount: 0 })
  attach(server, intake)
  // Listening for requests also made Node wrap every HTTP/2 stream in a request of HTTP/1's form; sessions
  // are taken as they are.
  server.removeAllListeners('stream')
  server.on('session', session => intake.session(session))
  return server
}

function attach(server: EventEmitter, intake: RequestIntake): void {
  const request = intake.request.bind(intake)
  Object.assign(server, { shouldUpgradeCallback: asksForWebSocket })
  server.on('request', request)
  server.on('checkContinue', request)
  server.on('checkExpectation', request)
  server.on('upgrade', intake.upgrade.bind(intake))
  // The parser leaves HTTP for CONNECT as well; it is refused on the socket.
  server.on('connect', intake.upgrade.bind(intake))
  server.on('clientError', intake.clientError.bind(intake))
}

function setLater(ms: number, call: () => void): void {
  setTimeout(call, ms).unref()
}
