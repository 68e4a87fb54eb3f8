import type { IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http'
import type { Socket } from 'node:net'

/** How much the clients of a listener may make it hold. */
export interface ListenerBounds {
  readonly connections: number
  /** Milliseconds in which a client must take some of its answer, or send something. Default: 30,000. */
  readonly stall?: number
}

/** Answers that one connection may have under way: who asks for more at once does not wait for any. */
const MAX_UNDER_WAY = 8
const STALL_MS = 30_000
/** Connections that the system may hand over before one that was ended is gone. */
const BURST = 512

/**
 * A server beside the traffic (operators, probes, scrapers, bouncers), whose clients may be hostile: slow
 * heads and bodies end after 5 and 10 s, clients that take nothing of their answers after `stall`, and a
 * connection with more than 8 answers under way at once. Node answers every request of a segment: in one of
 * 64 KB are 1,600, and each may ask for the longest answer there is. A connection too many takes the place of
 * the oldest that has not asked for anything whole: who only connects keeps no probe out.
 * @param create `createServer` of `node:http`, or one of `node:https` with its certificate
 */
export function boundedServer<Created extends Server>(
  create: (options: ServerOptions, handle: RequestListener) => Created,
  handle: RequestListener,
  { connections, stall = STALL_MS }: ListenerBounds,
): Created {
  const underWay = new WeakMap<Socket, number>()
  const places = new Places(connections)
  const server = create(
    { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      const { socket } = request
      // The rest of a segment whose connection was ended.
      if (socket.destroyed) return
      const count = (underWay.get(socket) ?? 0) + 1
      if (count > MAX_UNDER_WAY) {
        socket.destroy()
        return
      }
      underWay.set(socket, count)
      const answered = places.asks(request)
      response.once('close', () => {
        const left = (underWay.get(socket) ?? 1) - 1
        underWay.set(socket, left)
        if (left === 0) answered()
      })
      handle(request, response)
    },
  )
  server.timeout = stall
  server.maxConnections = connections + BURST
  server.on('connection', (socket: Socket) => places.take(socket))
  return server
}

/** A connection of a listener, and what was asked last and is not answered. */
interface Place {
  readonly socket: Socket
  request: IncomingMessage | undefined
}

/** The connections of a listener, by who is at the other end: with TLS, requests come from another socket. */
class Places {
  readonly #most: number
  /** Oldest first; an answer makes a place new. */
  readonly #taken = new Map<unknown, Place>()

  constructor(most: number) {
    this.#most = most
  }

  take(socket: Socket): void {
    const end = endOf(socket)
    const place: Place = { socket, request: undefined }
    this.#taken.set(end, place)
    socket.once('close', () => {
      if (this.#taken.get(end) === place) this.#taken.delete(end)
    })
    if (this.#taken.size > this.#most) this.#makeRoom()
  }

  /** @returns to be called when everything that was asked on the connection is answered */
  asks(request: IncomingMessage): () => void {
    const end = endOf(request.socket)
    const place = this.#taken.get(end)
    if (place === undefined) return () => {}
    place.request = request
    return () => {
      place.request = undefined
      if (this.#taken.get(end) !== place) return
      this.#taken.delete(end)
      this.#taken.set(end, place)
    }
  }

  /** Ends the newest where all others have asked for something: it is the last that has not. */
  #makeRoom(): void {
    for (const [end, { socket, request }] of this.#taken) {
      if (request?.complete === true) continue
      this.#taken.delete(end)
      socket.destroy()
      return
    }
  }
}

function endOf(socket: Socket): unknown {
  const { remoteAddress, remotePort } = socket
  return remotePort === undefined ? socket : `${remotePort} ${remoteAddress}`
}
