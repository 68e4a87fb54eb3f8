import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { duplexPair } from 'node:stream'
import { type Answer, bytesOf } from '@postern/core'
import type { PageRequest } from '../pages/page-request.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Not imported: the namespace of this module makes Node load its WebSocket client, 30 ms of every start. */
function http(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

/** One request on its way through. */
interface Passage {
  readonly page: PageRequest
  readonly handle: Handler
}

const ID = 'x-postern-passage'
const MAX_ANSWER = 4_194_304
/** Headers that belong to the client's connection, or that the server must not take from a client. */
const NOT_PASSED = new Set([
  ID,
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'te',
  'expect',
])

/** Headers of an answer that are for one connection, and the date, which every carrier sets. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date'])

/**
 * Runs handlers that were written for node's HTTP server on exchanges of any carrier. Requests go through a
 * real HTTP parser over a pair of streams in memory; nothing listens anywhere. Host and scheme are those of
 * the configured origin, whatever the client sent.
 */
export class MemoryServer {
  readonly #server: Server
  readonly #origin: URL
  readonly #passages = new Map<string, Passage>()
  #count = 0

  constructor(origin: string) {
    this.#origin = new URL(origin)
    this.#server = http().createServer((request, response) => {
      const passage = this.#passages.get(String(request.headers[ID]))
      if (passage === undefined) response.writeHead(500).end()
      else passage.handle(request, response)
    })
  }

  /** The page request behind a request of node's, for what is called by the handler. */
  pageOf(request: IncomingMessage): PageRequest | undefined {
    return this.#passages.get(String(request.headers[ID]))?.page
  }

  /** What a handler answers to an exchange. */
  async run(page: PageRequest, body: Uint8Array, handle: Handler): Promise<Answer> {
    const id = String(this.#count++)
    this.#passages.set(id, { page, handle })
    try {
      return await this.#send(page, body, id)
    } finally {
      this.#passages.delete(id)
    }
  }

  #send({ exchange }: PageRequest, body: Uint8Array, id: string): Promise<Answer> {
    const headers: Record<string, string | string[]> = {}
    for (let i = 0; i + 1 < exchange.headers.length; i += 2) {
      const name = (exchange.headers[i] ?? '').toLowerCase()
      if (NOT_PASSED.has(name) || name.startsWith('x-forwarded-')) continue
      headers[name] = exchange.header(name) ?? ''
    }
    headers['host'] = this.#origin.host
    headers['x-forwarded-proto'] = this.#origin.protocol.slice(0, -1)
    headers['content-length'] = String(body.length)
    headers[ID] = id
    const [ours, theirs] = duplexPair()
    this.#server.emit('connection', theirs)
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const target = exchange.path.canonical + (exchange.path.query === '' ? '' : `?${exchange.path.query}`)
    const sent = http().request({
      createConnection: () => ours,
      method: exchange.method,
      path: target,
      headers,
      setHost: false,
      signal: AbortSignal.timeout(30_000),
    })
    sent.on('error', reject)
    sent.on('response', response => {
      const { statusCode: status = 500, rawHeaders } = response
      bytesOf(response, MAX_ANSWER).then(
        answer => resolve({ status, headers: endToEnd(rawHeaders), body: answer }),
        reject,
      )
    })
    sent.end(body)
    return promise.finally(() => ours.destroy())
  }
}

function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!OF_CONNECTION.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '')
  }
  return kept
}
