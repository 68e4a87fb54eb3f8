import type { TlsIdentity } from '../primitive/certificate.ts'
import { type HolderAddress, SocketLink } from '../split/holder-link.ts'
import type { HolderId } from '../split/part.ts'

/** Messages kept for a peer that is away. */
const MAX_WAITING = 10_000
const TIMEOUT_MS = 2_000

/** What a holder tells another: kept until it was answered, in order, over reconnections. */
export class PeerOutbox {
  readonly #link: SocketLink
  readonly #waiting: object[] = []
  #isSending = false

  /**
   * @param greeting what is said whenever the peer is reached: it may have been away while things happened
   */
  constructor(
    id: HolderId,
    address: HolderAddress,
    identity: TlsIdentity,
    greeting: () => readonly object[],
  ) {
    this.#link = new SocketLink(id, address, identity, () => {
      for (const message of greeting()) this.send(message)
    })
  }

  get isUp(): boolean {
    return this.#link.isUp
  }

  /**
   * Sends when it can. The oldest message is dropped when too many wait; the greeting repeats what matters.
   */
  send(message: object): void {
    this.#waiting.push(message)
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
    void this.#drain()
  }

  /** Sends now. @throws StoreError when the peer does not answer */
  request(message: object): Promise<unknown> {
    return this.#link.request(message, TIMEOUT_MS)
  }

  close(): void {
    this.#link.close()
  }

  async #drain(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    try {
      while (this.#waiting.length > 0) {
        await this.#link.request(this.#waiting[0] as object, TIMEOUT_MS)
        this.#waiting.shift()
      }
    } catch {
      // The next message, or the greeting after reconnecting, starts again.
    } finally {
      this.#isSending = false
    }
  }
}
