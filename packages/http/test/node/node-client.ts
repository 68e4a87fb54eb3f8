import type { RequestListener, Server } from 'node:http'
import { type AddressInfo, connect as tcpConnect } from 'node:net'
import { text } from '../applications/streams.ts'

/** Listens on a free port of loopback while something runs against it. */
export async function listening(server: Server, run: (port: number) => Promise<void>): Promise<void> {
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  try {
    await run((server.address() as AddressInfo).port)
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

/** Answers with the body it was sent. */
export const echo: RequestListener = (request, response) => {
  void text(request).then(
    body => response.end(body),
    () => response.destroy(),
  )
}

/**
 * Sends raw bytes, piece by piece with a turn of the event loop between, and collects until the other side
 * closes.
 */
export async function raw(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket = tcpConnect(port, '127.0.0.1')
  const answer = text(socket)
  for (const piece of pieces) {
    await new Promise(resolve => socket.write(piece, resolve))
    await new Promise(setImmediate)
  }
  return answer
}
