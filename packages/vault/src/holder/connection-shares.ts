import type { Socket } from 'node:net'

/** Connections at once whose certificate was not seen yet. */
const STRANGERS = 256
/** Connections of everybody who is known, and of one certificate: the others always have room. */
const KNOWN = 1_024
const OF_ONE = 512
/** Bytes of messages that are not complete, over all connections of one certificate. */
const INCOMPLETE = 128 * 1_024 * 1_024

/**
 * Who may have how much of one listener: neither strangers, who have proved nothing, nor somebody with one
 * certificate, who may have stolen it, keep others out.
 */
export class ConnectionShares {
  /** Oldest first, by the port and address at the other end. */
  readonly #strangers = new Map<string, Socket>()
  readonly #known = new Map<string, Share>()
  #total = 0

  /** A connection that was accepted. One too many takes the place of the oldest, which took longest. */
  arrives(socket: Socket): void {
    const key = endOf(socket)
    this.#strangers.set(key, socket)
    socket.once('close', () => {
      if (this.#strangers.get(key) === socket) this.#strangers.delete(key)
    })
    if (this.#strangers.size <= STRANGERS) return
    const [oldest] = this.#strangers
    if (oldest === undefined) return
    this.#strangers.delete(oldest[0])
    oldest[1].destroy()
  }

  /** A connection whose certificate is known. @returns its share; undefined when there is no room for it */
  proves(socket: Socket, fingerprint: string): Share | undefined {
    this.#strangers.delete(endOf(socket))
    const share = this.#known.get(fingerprint) ?? new Share()
    if (this.#total >= KNOWN || share.connections >= OF_ONE) return undefined
    this.#known.set(fingerprint, share)
    share.connections++
    this.#total++
    socket.once('close', () => {
      this.#total--
      if (--share.connections === 0) this.#known.delete(fingerprint)
    })
    return share
  }
}

/** What one certificate has of a listener. */
export class Share {
  connections = 0
  #incomplete = 0

  /** @returns whether there is room for so many bytes more, or fewer, of messages that are not complete */
  holds(change: number): boolean {
    this.#incomplete += change
    return this.#incomplete <= INCOMPLETE
  }
}

function endOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remotePort} ${remoteAddress}`
}
