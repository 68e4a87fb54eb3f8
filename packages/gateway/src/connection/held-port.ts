import { chmodSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

/** Connections that wait; further ones are closed at once, and their clients may try again. */
const MAX_HELD = 1_024
/** How long one waits for the start to be over. */
const LONGEST_HOLD_MS = 30_000

/** Where to listen: a host and a port, or a Unix socket. */
export interface PortOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string
  /** 0 for any free port. */
  readonly port: number
  /** Of a Unix socket, in place of host and port. */
  readonly path?: string
  /** Several threads bind the same port, and the kernel spreads connections over them (`SO_REUSEPORT`). */
  readonly reusePort?: boolean
}

/**
 * A port that was bound before there is anybody to answer on it, so that a restart refuses no connection
 * while stores are opened, migrated and recovered. Clients that connect wait, nothing of theirs is read,
 * until `adopt`; their number and their wait are bounded.
 */
export class HeldPort {
  readonly port: number
  readonly #server: Server
  readonly #held = new Map<Socket, NodeJS.Timeout>()
  #take: ((socket: Socket) => void) | undefined

  /** Use `holdPort`. */
  constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', socket => {
      if (this.#take !== undefined) this.#take(socket)
      else this.#hold(socket)
    })
  }

  #hold(socket: Socket): void {
    if (this.#held.size >= MAX_HELD) {
      socket.destroy()
      return
    }
    socket.on('error', ignore)
    socket.once('close', () => this.#held.delete(socket))
    this.#held.set(
      socket,
      setTimeout(() => socket.destroy(), LONGEST_HOLD_MS),
    )
  }

  /**
   * Hands over those that wait, in the order in which they came, and from now on every connection as it
   * comes. Nothing is read from one until `take`, or who it leaves it to, calls `resume`.
   */
  adopt(take: (socket: Socket) => void): void {
    this.#take = take
    for (const [socket, timer] of this.#held) {
      clearTimeout(timer)
      socket.off('error', ignore)
      take(socket)
    }
    this.#held.clear()
  }

  /**
   * Accepts no more connections, and ends those that still wait. Where others share the port, whoever has
   * connected and was not accepted when the socket closes would be reset, so those are accepted first: two
   * turns of the event loop, of which the second has accepted all that had come.
   */
  async close(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
    this.#server.close()
    for (const [socket, timer] of this.#held) {
      clearTimeout(timer)
      socket.destroy()
    }
  }
}

function ignore(): void {
  // A client that went away before anybody could answer it is nobody's concern.
}

/** Owner and group: a proxy whose user is in the group may connect, and nobody else on the machine. */
const SOCKET_MODE = 0o660

/**
 * Removes a socket that a process left behind when it was killed. One that answers is somebody's, and so is a
 * file of another kind: listening there fails.
 */
async function removeDead(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return
  const isDead = await new Promise<boolean>(resolve => {
    const probe = connect(path)
    probe.once('connect', () => resolve(false))
    probe.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED'))
    probe.once('close', () => probe.destroy())
    probe.once('connect', () => probe.destroy())
  })
  if (isDead) rmSync(path, { force: true })
}

/**
 * Binds a port, or a Unix socket, and lets whoever connects wait.
 * @throws Error of the operating system when the address is unavailable
 */
export async function holdPort({
  host = '127.0.0.1',
  port,
  path,
  reusePort = false,
}: PortOptions): Promise<HeldPort> {
  if (path !== undefined) await removeDead(path)
  // Half-open as the sockets of Node's own HTTP server are.
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const place = path === undefined ? { host, port, reusePort } : { path }
    const before = path === undefined || !isMainThread ? undefined : process.umask(0o777 & ~SOCKET_MODE)
    try {
      // A socket is bound before this returns, and has its mode from the first moment. A thread has no umask
      // of its own to set, so there the mode follows.
      server.listen({ ...place, backlog: 1_024 }, resolve)
    } finally {
      if (before !== undefined) process.umask(before)
    }
  })
  if (path !== undefined) chmodSync(path, SOCKET_MODE)
  server.on('error', ignore)
  const bound = server.address()
  return new HeldPort(server, bound !== null && typeof bound === 'object' ? bound.port : port)
}
