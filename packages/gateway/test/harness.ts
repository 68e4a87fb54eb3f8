import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from 'node:net'
import type { TestContext } from 'node:test'
import { Engine, type Event } from '@postern/core'
import { type Gateway, type GatewayOptions, startGateway } from '../src/index.ts'

/** A backend of Node's own, with what it saw. */
export interface Backend {
  readonly url: string
  readonly server: Server
  readonly seen: IncomingMessage[]
}

export async function startBackend(t: TestContext, listener: RequestListener): Promise<Backend> {
  const seen: IncomingMessage[] = []
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    seen.push(request)
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen }
}

/** A backend that is a plain socket: it sends the given answer, valid or not. */
export async function startRawBackend(
  t: TestContext,
  onConnection: (socket: Socket, index: number) => void,
): Promise<{ url: string; server: NetServer; connections: () => number }> {
  let count = 0
  const open = new Set<Socket>()
  const server = createNetServer(socket => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
    onConnection(socket, count++)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    connections: () => count,
  }
}

export interface TestGateway {
  readonly gateway: Gateway
  readonly port: number
  readonly events: Event[]
  /** Resolves with the next event that satisfies the test. */
  event(test: (event: Event) => boolean): Promise<Event>
}

/** A gateway that is closed after the test, and the events of its engine. */
export async function start(
  t: TestContext,
  upstream: string,
  options: Partial<GatewayOptions> & { readonly engine?: Engine } = {},
): Promise<TestGateway> {
  const engine = options.engine ?? new Engine()
  const events: Event[] = []
  const waiting: { test: (event: Event) => boolean; resolve: (event: Event) => void }[] = []
  engine.listen(event => {
    events.push(event)
    for (const waiter of waiting) if (waiter.test(event)) waiter.resolve(event)
  })
  const gateway = await startGateway({ listen: { port: 0 }, ...options, upstream, engine })
  t.after(() => gateway.close({ grace: 0 }))
  return {
    gateway,
    port: Number(new URL(gateway.url).port),
    events,
    event: test => {
      const known = events.find(test)
      return known === undefined
        ? new Promise(resolve => waiting.push({ test, resolve }))
        : Promise.resolve(known)
    },
  }
}

/** Sends bytes and resolves with all that came back once the connection is closed. */
export function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  { end = false }: { end?: boolean } = {},
): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
    socket.write(bytes, 'latin1')
    if (end) socket.end()
  })
}

/** A raw connection whose received text can be waited for. */
export class RawClient {
  readonly socket: Socket
  received = ''
  closed = false
  #waiting: (() => void)[] = []

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (chunk: string) => {
      this.received += chunk
      this.#wake()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Resolves once the text has arrived; rejects when the connection closed before. */
  async until(text: string | RegExp): Promise<string> {
    for (;;) {
      if (typeof text === 'string' ? this.received.includes(text) : text.test(this.received))
        return this.received
      if (this.closed) throw new Error(`closed without ${text}, after: ${this.received.slice(0, 400)}`)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return this.received
  }

  close(): void {
    this.socket.destroy()
  }
}

/** A promise to be resolved from elsewhere. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>(r => {
    resolve = r
  })
  return { promise, resolve }
}
