import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import {
  type Engine,
  mergedTarget,
  parseAddress,
  type RawHeaders,
  type Refusal,
  type RequestSource,
} from '@postern/core'
import { Http2Connection, type ResetWatch } from '../connection/http2-connection.ts'
import type { Standing } from '../connection/slow-lane.ts'
import type { Downstream } from '../exchange/downstream.ts'
import { ProxiedExchange, type TunnelOpener } from '../exchange/proxied-exchange.ts'
import type { Traffic } from '../exchange/traffic.ts'
import { Tunnel } from '../exchange/tunnel.ts'
import { switchingProtocols } from '../exchange/tunnel-answer.ts'
import { type FramingFault, framingFault, framingRefusal } from '../message/framing-fault.ts'
import { RequestBody } from '../message/request-body.ts'
import { type RequestHead, readRequestHead } from '../message/request-head.ts'
import type { BackendHeaders } from '../message/response-head.ts'
import { answerClientError, clientErrorFault, socketBelow } from './client-error.ts'
import { FailedHandshakes } from './failed-handshakes.ts'
import { Http1Connection } from './http1-connection.ts'
import { Http1Downstream, Http1Response } from './http1-downstream.ts'
import { Http2Downstream } from './http2-downstream.ts'
import { type Http2Request, readHttp2Request } from './http2-request.ts'

const NO_HEAD: RequestHead = Object.freeze({
  host: '',
  path: '/',
  contentLength: undefined,
  chunked: false,
  expectsContinue: false,
  upgrade: undefined,
  forwardedFor: undefined,
  forwardedHost: undefined,
  forward: [],
})

const OVERLOADED: Refusal = {
  effect: 'deny',
  guard: 'gateway',
  status: 503,
  retryAfter: 1,
  reasons: [
    {
      rule: 'gateway/overloaded',
      message: 'Too many requests are being worked on. Please try again shortly.',
    },
  ],
}

/**
 * Whether a request head is for the tunnel; any other `Upgrade` is ignored, as RFC 9110 section 7.8 allows.
 */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket'
}

const UNHEARD: Standing = Object.freeze({ awaits: 'head', requests: 0 })

/** Takes requests from the servers, whatever the protocol, and starts an exchange for each. */
export class RequestIntake {
  readonly tunnels: Set<Tunnel> = new Set()
  readonly #traffic: Traffic
  readonly #engine: () => Engine
  readonly #peerOf: (socket: Socket) => string | undefined
  readonly #watch: ResetWatch
  readonly #connections = new WeakMap<Socket, Http1Connection>()
  #handshakes: FailedHandshakes | undefined

  /** @param watch counts clients that open and cancel streams without end */
  constructor(
    traffic: Traffic,
    engine: () => Engine,
    peerOf: (socket: Socket) => string | undefined,
    watch: ResetWatch,
  ) {
    this.#watch = watch
    this.#traffic = traffic
    this.#engine = engine
    this.#peerOf = peerOf
  }

  /** An HTTP/1 request. */
  request(request: IncomingMessage, response: Http1Response): void {
    const connection = this.#connection(request.socket)
    if (connection.peer === undefined) {
      // Reset by its client since: without an address, no ban would hold for the request.
      request.socket.destroy()
      return
    }
    connection.take(() => this.#beginHttp1(request, response, connection))
  }

  #beginHttp1(request: IncomingMessage, response: Http1Response, connection: Http1Connection): void {
    const { method = '', url = '', httpVersion, rawHeaders, socket } = request
    const target = mergedTarget(url)
    const head = this.#readHead(method, target, httpVersion, rawHeaders, connection.peer)
    const hasBody = !('rule' in head) && (head.chunked || (head.contentLength ?? 0) > 0)
    const body = hasBody ? this.#body(request) : undefined
    const source: RequestSource = {
      method,
      target,
      headers: rawHeaders,
      peer: connection.peer,
      localPort: connection.localPort,
      secure: 'encrypted' in socket,
      httpVersion,
      body,
      native: request,
    }
    const proxied = this.#open(source, head, new Http1Downstream(response, connection))
    connection.current = proxied
    connection.body = body
    this.#start(proxied, head, body)
  }

  #readHead(
    method: string,
    target: string,
    version: string,
    headers: RawHeaders,
    peer: string | undefined,
  ): RequestHead | FramingFault {
    return readRequestHead(method, target, version, headers, this.#mayPass(peer))
  }

  #body(source: Readable): RequestBody {
    return new RequestBody(source, this.#traffic.settings.timeouts.bodyProgress, this.#traffic.late)
  }

  #open(
    source: RequestSource,
    head: RequestHead | FramingFault,
    downstream: Downstream,
    openTunnel?: TunnelOpener,
  ): ProxiedExchange {
    const engine = this.#engine()
    const readable = 'rule' in head ? NO_HEAD : head
    return new ProxiedExchange(engine, engine.open(source), this.#traffic, readable, downstream, openTunnel)
  }

  #start(proxied: ProxiedExchange, head: RequestHead | FramingFault, body: RequestBody | undefined): void {
    if (body !== undefined) body.owner = proxied
    if ('rule' in head) proxied.startRefused(framingRefusal(head), body)
    else if (this.#traffic.hasRoom(proxied.client)) proxied.start(body)
    else this.#refuseForRoom(proxied, body)
  }

  /** A crowd would come back at once: its refusals are spread over time, and its connections wait. */
  #refuseForRoom(proxied: ProxiedExchange, body: RequestBody | undefined): void {
    if (!this.#traffic.isCrowd(proxied.client)) proxied.startRefused(OVERLOADED, body)
    else
      this.#traffic.late.add(() => {
        if (proxied.phase === 'open') proxied.startRefused(OVERLOADED, body)
      })
  }

  /** What a connection of HTTP/1 waits for. */
  standing(socket: Socket): Standing {
    return this.#connections.get(socket) ?? UNHEARD
  }

  /** A request to leave HTTP/1 for a WebSocket. */
  upgrade(request: IncomingMessage, duplex: Duplex, ahead: Buffer): void {
    const socket = duplex as Socket
    const connection = this.#connection(socket)
    socket.on('error', () => socket.destroy())
    if (connection.busy || connection.peer === undefined) {
      // An answer is still owed for a request before this one, and the two would mix; or the client is gone.
      socket.destroy()
      return
    }
    connection.take(() => undefined)
    const response = new Http1Response(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => socket.destroySoon())
    const { method = '', url = '', httpVersion, rawHeaders } = request
    const target = mergedTarget(url)
    const read = this.#readHead(method, target, httpVersion, rawHeaders, connection.peer)
    const head = 'rule' in read ? read : (upgradeFault(read) ?? read)
    const source: RequestSource = {
      method,
      target,
      headers: rawHeaders,
      peer: connection.peer,
      localPort: connection.localPort,
      secure: 'encrypted' in socket,
      httpVersion,
      body: undefined,
      native: request,
    }
    const downstream = new Http1Downstream(response, connection)
    const proxied = this.#open(source, head, downstream, (backend, headers, exchange) => {
      response.detachSocket(socket)
      if (ahead.length > 0) socket.unshift(ahead)
      this.#tunnel(socket, backend, headers, exchange)
    })
    connection.current = proxied
    this.#start(proxied, head, undefined)
  }

  #tunnel(socket: Socket, backend: Duplex, headers: BackendHeaders, proxied: ProxiedExchange): void {
    socket.write(switchingProtocols(headers, proxied), 'latin1')
    const tunnel = new Tunnel(socket, backend, proxied.exchange, this.#traffic.settings, bytes => {
      this.tunnels.delete(tunnel)
      proxied.tunnelClosed(bytes)
    })
    this.tunnels.add(tunnel)
    if (this.#traffic.isDraining) tunnel.close()
  }

  /** An HTTP/2 connection. */
  session(session: ServerHttp2Session): void {
    const { limits, timeouts } = this.#traffic.settings
    const peer = this.#peerOf(session.socket as Socket)
    session.on('error', () => undefined)
    // No half of an HTTP/2 connection ends alone, but node waits for the other: the streams of a client that
    // is gone would be under way without an end.
    session.socket.once('end', () => session.destroy())
    if (peer === undefined) {
      session.destroy()
      return
    }
    const connection = new Http2Connection(session, peer, limits, this.#engine().clock, this.#watch)
    let open = 0
    session.setTimeout(timeouts.idle, () => {
      if (open === 0) session.destroy()
    })
    session.on('stream', (stream, _headers, _flags, rawHeaders: string[]) => {
      open++
      stream.on('close', () => {
        open--
      })
      connection.opened()
      this.#stream(stream, rawHeaders, connection)
    })
  }

  #stream(stream: ServerHttp2Stream, rawHeaders: string[], connection: Http2Connection): void {
    const request = readHttp2Request(rawHeaders, this.#traffic.settings.limits.headerBytes)
    const read: Http2Request = 'rule' in request ? { method: '', target: '', headers: [] } : request
    const target = mergedTarget(read.target)
    const head =
      'rule' in request ? request : this.#readHead(read.method, target, 'h2', read.headers, connection.peer)
    const body = stream.endAfterHeaders ? undefined : this.#body(stream)
    const source: RequestSource = {
      method: read.method,
      target,
      headers: read.headers,
      peer: connection.peer,
      localPort: connection.localPort,
      secure: true,
      httpVersion: '2.0',
      body,
      native: stream,
    }
    const downstream = new Http2Downstream(stream, () => connection.reset())
    this.#start(this.#open(source, head, downstream), head, body)
  }

  /** Bytes that are not HTTP/1, or did not arrive in time. */
  clientError(error: Error, socket: Socket): void {
    const fault = clientErrorFault(error)
    if (fault?.rule === 'framing/plain-http') {
      const below = socketBelow(socket)
      if (below !== undefined) answerClientError(this.#engine(), fault, this.#peerOf(below), below)
      return
    }
    if (fault === undefined || !socket.writable) {
      this.#failedHandshake(error, socket)
      socket.destroy()
      return
    }
    if (fault.rule !== 'framing/head-timeout') {
      this.#refuseBytes(fault, socket)
      return
    }
    // Browsers open connections ahead of need, and nothing was asked on one that was never used.
    if (socket.bytesRead === 0) {
      socket.end(() => socket.destroySoon())
      return
    }
    const wasBusy = this.#connections.get(socket)?.busy === true
    this.#traffic.late.add(() => {
      const isBusy = this.#connections.get(socket)?.busy === true
      // Where the head arrived while this waited, its request is under way.
      if (socket.writable && (wasBusy || !isBusy)) this.#refuseBytes(fault, socket)
    })
  }

  #failedHandshake(error: Error, socket: Socket): void {
    const engine = this.#engine()
    this.#handshakes ??= new FailedHandshakes(engine.clock)
    const event = this.#handshakes.take(error, this.#peerOf(socketBelow(socket) ?? socket))
    if (event !== undefined) engine.emit(event)
  }

  #refuseBytes(fault: FramingFault, socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection?.busy === true) {
      // The head of this request was accepted, so its exchange answers; a pipelined one behind it has no
      // answer of its own.
      if (connection.current === undefined) socket.destroy()
      else connection.current.refuse(framingRefusal(fault))
      return
    }
    answerClientError(this.#engine(), fault, this.#peerOf(socket), socket)
  }

  /**
   * What a peer may send beyond plain headers: a trusted proxy anything, others what the configuration keeps.
   */
  #mayPass(peer: string | undefined): (lowerName: string) => boolean {
    const { trustedProxies } = this.#engine()
    if (trustedProxies.isEmpty || peer === undefined) return this.#traffic.settings.keepsHeader
    const address = parseAddress(peer)
    return address !== undefined && trustedProxies.has(address)
      ? passesAll
      : this.#traffic.settings.keepsHeader
  }

  #connection(socket: Socket): Http1Connection {
    let connection = this.#connections.get(socket)
    if (connection === undefined) {
      const { requestsPerConnection } = this.#traffic.settings.limits
      connection = new Http1Connection(
        socket,
        this.#peerOf(socket),
        requestsPerConnection,
        () => this.#traffic.isDraining,
      )
      this.#connections.set(socket, connection)
    }
    return connection
  }
}

function passesAll(): boolean {
  return true
}

function upgradeFault(head: RequestHead): FramingFault | undefined {
  if (head.chunked || (head.contentLength ?? 0) > 0) return framingFault('upgrade-with-body')
  return head.upgrade === 'websocket' ? undefined : framingFault('bad-upgrade')
}
