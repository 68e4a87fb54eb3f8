import type { NodeSocket } from './node-message.ts'

/**
 * The address at the other end of a connection. A Unix socket has addresses at neither end, and its other end
 * is this machine.
 *
 * A TCP connection that its client has reset no longer has a peer (getpeername(2): ENOTCONN), while what it
 * sent before can still be read and its own address stays. Taken for a Unix socket, such a request would come
 * from this machine: past bans, and trusted where local proxies are.
 * @returns undefined for a connection that its client has left
 */
export function peerAddress(socket: NodeSocket): string | undefined {
  if (socket.remoteAddress !== undefined) return socket.remoteAddress
  return socket.destroyed === true || socket.localAddress !== undefined ? undefined : '127.0.0.1'
}
