import type { RequestListener, Server, ServerOptions } from 'node:http'
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

/**
 * A server beside the traffic (operators, probes, scrapers, bouncers), whose clients may be hostile: slow
 * heads and bodies end after 5 and 10 s, clients that take nothing of their answers after `stall`, and a
 * connection with more than 8 answers under way at once. Node answers every request of a segment: in one of
 * 64 KB are 1,600, and each may ask for the longest answer there is.
 * @param create `createServer` of `node:http`, or one of `node:https` with its certificate
 */
export function boundedServer<Created extends Server>(
  create: (options: ServerOptions, handle: RequestListener) => Created,
  handle: RequestListener,
  { connections, stall = STALL_MS }: ListenerBounds,
): Created {
  const underWay = new WeakMap<Socket, number>()
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
      response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1))
      handle(request, response)
    },
  )
  server.timeout = stall
  server.maxConnections = connections
  return server
}
