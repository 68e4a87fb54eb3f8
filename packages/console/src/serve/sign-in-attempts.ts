import type { IncomingMessage } from 'node:http'
import { type CidrSet, type Clock, clientAddress, networkOf, parseAddress } from '@postern/core'

/** Attempts in a minute of one network. */
const MOST_OF_ONE = 60
/** And of everybody together: each costs a row or a signature. It bounds what is remembered as well. */
const MOST_OF_ALL = 600
const MINUTE = 60_000

/** Bounds how often somebody may try to sign in, so that no one network keeps the others out. */
export class SignInAttempts {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #trustedProxies: () => CidrSet
  readonly #counts = new Map<string, number>()
  #all = 0
  #since = 0

  /** @param trustedProxies that say for whom they ask */
  constructor(clock: Pick<Clock, 'monotonic'>, trustedProxies: () => CidrSet) {
    this.#clock = clock
    this.#trustedProxies = trustedProxies
  }

  /** Counts an attempt. @returns false when it is one too many */
  take(request: IncomingMessage): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#since >= MINUTE) {
      this.#since = now
      this.#all = 0
      this.#counts.clear()
    }
    const network = this.#networkOf(request)
    const count = (this.#counts.get(network) ?? 0) + 1
    // What is refused costs nothing, and must not use up what others have left.
    if (count > MOST_OF_ONE || this.#all >= MOST_OF_ALL) return false
    this.#counts.set(network, count)
    this.#all++
    return true
  }

  #networkOf({ socket, rawHeaders }: IncomingMessage): string {
    const peer = parseAddress(socket.remoteAddress ?? '')
    return peer === undefined ? '' : networkOf(clientAddress(peer, rawHeaders, this.#trustedProxies()))
  }
}
