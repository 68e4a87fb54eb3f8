import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the attacker wants changed on the way. */
export interface Disguise {
  /** Where the request says it comes from, for a gateway that trusts the proxy in front of it. */
  readonly address?: string
  readonly agent: string
}

/** A proxy on the attacker's side, listening. */
export interface AttackersProxy {
  readonly port: number
  /** How many answers so far said 401: guesses that a password was compared with. */
  compared(): number
  close(): void
}

/**
 * A proxy on the attacker's side, for tools that cannot help themselves: Hydra 9.4 gives up on a login form
 * that answers 401, so it is shown 200, and it names itself in every request, so that is changed as well. The
 * target gets every request, and decides, as it would without.
 */
export async function disguise(target: string, { address, agent }: Disguise): Promise<AttackersProxy> {
  const { host, hostname, port } = new URL(target)
  let compared = 0
  const server = createServer((incoming, answer) => {
    const headers = {
      ...incoming.headers,
      host,
      'user-agent': agent,
      ...(address !== undefined && { 'x-forwarded-for': address }),
    }
    const onward = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers },
      received => {
        const { connection: _, 'keep-alive': __, ...rest } = received.headers
        if (received.statusCode === 401) compared++
        const status = received.statusCode === 401 ? 200 : (received.statusCode ?? 502)
        answer.writeHead(status, { ...rest, connection: 'close' })
        received.pipe(answer)
      },
    )
    onward.on('error', () => answer.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    compared: () => compared,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
