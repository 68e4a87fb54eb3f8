import type { Socket } from 'node:net'
import { type Address, type CidrSet, parseAddress } from '@postern/core'
import { readProxyHeader } from './proxy-protocol.ts'

/**
 * Takes the PROXY protocol header off each connection before any other byte of it is read, and remembers whom
 * it names. A connection from elsewhere than the stated proxies, without a header, or with one that is no
 * such thing, is ended.
 */
export class ProxyProtocolGate {
  readonly #from: CidrSet
  readonly #clients = new Map<string, Address>()

  constructor(from: CidrSet) {
    this.#from = from
  }

  /** @param timeout milliseconds for the header to arrive */
  admit(socket: Socket, timeout: number, onAdmitted: () => void): void {
    const proxy = parseAddress(socket.remoteAddress ?? '')
    socket.on('error', () => socket.destroy())
    if (proxy === undefined || !this.#from.has(proxy)) {
      socket.destroy()
      return
    }
    const timer = setTimeout(() => socket.destroy(), timeout)
    let received: Buffer = Buffer.alloc(0)
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const header = readProxyHeader(received)
      if (header === 'more') return
      clearTimeout(timer)
      socket.off('readable', onReadable)
      if (header === 'invalid') {
        socket.destroy()
        return
      }
      this.#remember(socket, header.client)
      const rest = received.subarray(header.length)
      if (rest.length > 0) socket.unshift(rest)
      onAdmitted()
    }
    socket.on('readable', onReadable)
    socket.once('close', () => clearTimeout(timer))
  }

  /** The two ends of a TCP connection name it while it lives, even where TLS hides the socket. */
  #remember(socket: Socket, client: Address | undefined): void {
    if (client === undefined) return
    const key = connectionKey(socket)
    this.#clients.set(key, client)
    socket.once('close', () => this.#clients.delete(key))
  }

  /** The address that the header named, or the peer's own. */
  peerOf(socket: Socket): string | undefined {
    return this.#clients.get(connectionKey(socket)) ?? socket.remoteAddress
  }
}

function connectionKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
