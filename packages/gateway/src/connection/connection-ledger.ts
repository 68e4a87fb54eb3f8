import type { Socket } from 'node:net'
import { type Address, type CidrSet, networkOf, parseAddress } from '@postern/core'
import { AddressResets } from './address-resets.ts'
import type { ResetWatch } from './http2-connection.ts'

/** Caps on connections. */
export interface ConnectionCaps {
  readonly connections: number
  /** From one address, or one IPv6 /56. */
  readonly connectionsPerAddress: number
  /** HTTP/2 streams that one connection may cancel within ten seconds. */
  readonly resets: number
}

/**
 * What became of a new connection: `refused` and destroyed, `admitted`, or admitted from a `crowded` address,
 * which has so many that others come first.
 */
export type Admission = 'refused' | 'admitted' | 'crowded'

/** Connections that an address has open before its next ones count as a crowd's: more than browsers open. */
const CROWD = 16
/**
 * How many connections must be free for each that an address has open, once it has a crowd: otherwise forty
 * addresses, each within its own cap, hold all there are. The same rule shares connections to the backend.
 */
const FREE_FOR_EACH = 4
/** The part of all connections that must be free for nothing to be scarce. */
const PLENTY = 1 / 4
/** How long an address that misused its connection waits for another. */
const REST_MS = 5_000
const MAX_RESTING = 10_000
/** An address may cancel as many streams as this many connections may: browsers of an office share it. */
const RESETS_OF_ADDRESS = 10

/** Knows every open connection, and refuses those beyond the caps before a byte of them is read. */
export class ConnectionLedger implements ResetWatch {
  readonly #caps: ConnectionCaps
  readonly #isExempt: (address: Address) => boolean
  readonly #peerOf: (socket: Socket) => string | undefined
  readonly #open = new Set<Socket>()
  readonly #perNetwork = new Map<string, number>()
  /** Networks that get no connection, and until when. */
  readonly #resting = new Map<string, number>()
  readonly #resets: AddressResets

  /**
   * @param trustedProxies asked each time: addresses that many clients share, and that no cap of one applies
   * to
   * @param peerOf the address at the other end of a connection
   */
  constructor(
    caps: ConnectionCaps,
    trustedProxies: () => CidrSet,
    peerOf: (socket: Socket) => string | undefined = socket => socket.remoteAddress,
  ) {
    this.#caps = caps
    this.#peerOf = peerOf
    this.#resets = new AddressResets(caps.resets * RESETS_OF_ADDRESS)
    this.#isExempt = address => trustedProxies().has(address)
  }

  get size(): number {
    return this.#open.size
  }

  /** Whether so many are open that those who misuse theirs should be ended soon. */
  get isScarce(): boolean {
    return this.#caps.connections - this.#open.size < this.#caps.connections * PLENTY
  }

  /** Whether there are clients of which not a byte has arrived yet. */
  get hasNewcomers(): boolean {
    for (const socket of this.#open) if (socket.bytesRead === 0) return true
    return false
  }

  /** Counts a cancelled stream. Trusted proxies cancel for many clients, and are exempt. */
  cancelled(peer: string | undefined, now: number): boolean {
    const address = peer === undefined ? undefined : parseAddress(peer)
    if (address === undefined || this.#isExempt(address)) return false
    return this.#resets.add(networkOf(address), now)
  }

  /**
   * Accepts no connection from an address for a while: it opened and cancelled streams until its connection
   * was ended, and would do so again, at the price of a TLS handshake for us each time.
   */
  rest(peer: string | undefined): void {
    const address = peer === undefined ? undefined : parseAddress(peer)
    if (address === undefined || this.#isExempt(address)) return
    const network = networkOf(address)
    this.#resting.delete(network)
    if (this.#resting.size >= MAX_RESTING) {
      const [oldest] = this.#resting.keys()
      if (oldest !== undefined) this.#resting.delete(oldest)
    }
    this.#resting.set(network, performance.now() + REST_MS)
  }

  #isResting(network: string): boolean {
    if (this.#resting.size === 0) return false
    const until = this.#resting.get(network)
    if (until === undefined) return false
    if (performance.now() < until) return true
    this.#resting.delete(network)
    return false
  }

  /** Whether an address that has so many connections open may have another. */
  #mayHaveAnother(count: number): boolean {
    if (count >= this.#caps.connectionsPerAddress) return false
    return count < CROWD || count * FREE_FOR_EACH <= this.#caps.connections - this.#open.size
  }

  /** Takes a new connection in, if the caps allow it. */
  admit(socket: Socket): Admission {
    const peer = this.#peerOf(socket)
    const address = peer === undefined ? undefined : parseAddress(peer)
    if (address === undefined || this.#open.size >= this.#caps.connections) {
      socket.destroy()
      return 'refused'
    }
    const network = this.#isExempt(address) ? undefined : networkOf(address)
    const count = network === undefined ? 0 : (this.#perNetwork.get(network) ?? 0)
    if (network !== undefined) {
      if (this.#isResting(network) || !this.#mayHaveAnother(count)) {
        socket.destroy()
        return 'refused'
      }
      this.#perNetwork.set(network, count + 1)
    }
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (network === undefined) return
      const left = (this.#perNetwork.get(network) ?? 1) - 1
      if (left === 0) this.#perNetwork.delete(network)
      else this.#perNetwork.set(network, left)
    })
    return count < CROWD ? 'admitted' : 'crowded'
  }

  /** Ends every connection, what was already written first. */
  closeAll(): void {
    for (const socket of this.#open) socket.destroySoon()
  }

  /** Ends every connection now. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}
