import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A backend for a test. */
export interface Backend {
  readonly url: string
  /** Requests it has seen: method, space, target. */
  readonly seen: readonly string[]
  close(): Promise<void>
}

/** Starts a backend on a free port of loopback; it answers 200 and `hello` by default. */
export async function startBackend(
  answer: RequestListener = (_request, response) => response.end('hello'),
): Promise<Backend> {
  const seen: string[] = []
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.resume()
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
