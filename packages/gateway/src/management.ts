import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { boundedServer, type Health, urlHost } from '@postern/core'

const MAX_CONNECTIONS = 256

/** The listener for those who watch over the process. */
export interface Management {
  readonly url: string
  close(): Promise<void>
}

/**
 * Answers `/healthz` (the process is alive) and `/readyz` (every required part is well; 503 when not) on an
 * address of its own.
 * @param health answered from memory
 */
export async function openManagement(
  listen: { readonly host?: string; readonly port: number },
  health: () => readonly Health[],
): Promise<Management> {
  const host = listen.host ?? '127.0.0.1'
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parts = health()
    const ready = parts.every(part => part.ok || !part.required)
    const known = request.method === 'GET' || request.method === 'HEAD'
    const [status, body] =
      known && request.url === '/healthz'
        ? [200, { status: 'alive' }]
        : known && request.url === '/readyz'
          ? [ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', parts }]
          : [404, { status: 'not found' }]
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    response.end(JSON.stringify(body))
  }
  const server = boundedServer(
    (options, answer) => createServer({ ...options, maxHeaderSize: 4_096 }, answer),
    handle,
    { connections: MAX_CONNECTIONS },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: listen.port }, resolve)
  })
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : listen.port
  return {
    url: `http://${urlHost(host)}:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
