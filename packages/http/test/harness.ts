import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { EngineSource } from '../src/index.ts'

/** A request that every adapter can be sent. */
export interface Sent {
  readonly method?: string
  readonly path: string
  /** Several values are several header lines. */
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined
  readonly body?: string
  /** Sends the body in pieces of this many bytes, without announcing its length. */
  readonly pieces?: number
}

/** What came back. */
export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** A request under way. */
export interface Begun {
  /** Leaves; resolves when the other side has noticed. */
  abort(): Promise<void>
}

/** The application under test, running behind one adapter. */
export interface Running {
  send(sent: Sent): Promise<Received>
  /** Sends, resolves once the first piece of the answer is there. */
  begin(sent: Sent): Promise<Begun>
  /** Sends and waits for nothing. */
  dispatch(sent: Sent): Begun
  /** Where it listens; undefined for one that is called in this process. */
  readonly port?: number
  /** How often a handler ran. */
  readonly handled: () => number
  close(): Promise<void>
}

/** One adapter with the one application of this suite behind it. */
export interface Adapter {
  readonly name: string
  /** Whether the adapter learns how the exchange ended. Next's does not. */
  readonly seesOutcome: boolean
  /** Whether guards see the head of the handler's answer. Next's proxy never sees it. */
  readonly showsAnswer: boolean
  start(engine: EngineSource): Promise<Running>
}

/** Talks to an application on a listening server; each request has a connection of its own. */
export function overNetwork(server: Server, handled: () => number, close: () => Promise<unknown>): Running {
  const { port } = server.address() as AddressInfo
  const sockets = new Map<number, Socket>()
  server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket))
  const open = (sent: Sent): ClientRequest => {
    const { method = 'GET', path, body, pieces } = sent
    const headers: OutgoingHttpHeaders = { ...sent.headers }
    if (body !== undefined && pieces === undefined) headers['Content-Length'] = Buffer.byteLength(body)
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
    if (body !== undefined && pieces !== undefined) {
      for (let at = 0; at < body.length; at += pieces) request.write(body.slice(at, at + pieces))
      request.end()
    } else request.end(body)
    return request
  }
  const leave = async (request: ClientRequest): Promise<void> => {
    const socket = sockets.get(request.socket?.localPort ?? 0)
    request.on('error', () => {}).destroy()
    await new Promise(resolve =>
      socket?.closed === false ? socket.once('close', resolve) : setImmediate(resolve),
    )
    await new Promise(setImmediate)
  }
  return {
    handled,
    port,
    async close() {
      for (const socket of sockets.values()) socket.destroy()
      await close()
    },
    send: sent =>
      new Promise((resolve, reject) => {
        open(sent)
          .on('response', response => collect(response).then(resolve, reject))
          .on('error', reject)
      }),
    begin: sent =>
      new Promise((resolve, reject) => {
        const request = open(sent).on('error', reject)
        request.on('response', response =>
          response.on('error', () => {}).once('data', () => resolve({ abort: () => leave(request) })),
        )
      }),
    dispatch(sent) {
      const request = open(sent).on('error', () => {})
      return { abort: () => leave(request) }
    },
  }
}

async function collect(response: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

/** Calls a fetch handler in this process. */
export function inProcess(
  handler: (request: Request) => Response | Promise<Response>,
  handled: () => number,
): Running {
  const dispatch = (sent: Sent) => {
    const abort = new AbortController()
    const { method = 'GET', path, body, pieces } = sent
    const headers = new Headers({ host: 'localhost' })
    for (const [name, value] of Object.entries(sent.headers ?? {})) headers.set(name, String(value))
    const stream = body === undefined ? undefined : pieces === undefined ? body : inPieces(body, pieces)
    const request = new Request(`http://localhost${path}`, {
      method,
      headers,
      signal: abort.signal,
      ...(stream !== undefined && { body: stream, duplex: 'half' as const }),
    })
    const response = Promise.resolve().then(() => handler(request))
    return { abort, response }
  }
  return {
    handled,
    close: () => Promise.resolve(),
    async send(sent) {
      const response = await dispatch(sent).response.catch(() => new Response('error', { status: 500 }))
      const headers: Record<string, string | readonly string[]> = Object.fromEntries(response.headers)
      const cookies = response.headers.getSetCookie()
      if (cookies.length > 0) headers['set-cookie'] = cookies
      return { status: response.status, headers, body: await response.text() }
    },
    async begin(sent) {
      const { response } = dispatch(sent)
      const reader = (await response).body?.getReader()
      await reader?.read()
      return { abort: async () => reader?.cancel() }
    },
    dispatch(sent) {
      const { abort, response } = dispatch(sent)
      response.then(
        answer => answer.body?.cancel(),
        () => {},
      )
      return { abort: async () => abort.abort() }
    },
  }
}

function inPieces(body: string, size: number): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(body)
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)))
      at += size
    },
  })
}
