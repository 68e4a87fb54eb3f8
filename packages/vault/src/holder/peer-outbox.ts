import type { TlsIdentity } from '../primitive/certificate.ts'
import { type HolderAddress, SocketLink } from '../split/holder-link.ts'
import type { HolderId } from '../split/part.ts'

/** Messages kept for a peer that is away. */
const MAX_WAITING = 10_000
/** How long a peer may take to answer, and when what it did not take is sent again; milliseconds. */
const PACE = { timeout: 2_000, again: 1_000 }

export interface PeerOutboxOptions {
  readonly identity: TlsIdentity
  /** What is said whenever the peer is reached: it may have been away while things happened. */
  readonly greeting: () => readonly object[]
  readonly pace?: typeof PACE
}

/** What a holder tells another: kept until it was answered, in order, over reconnections. */
export class PeerOutbox {
  readonly #link: SocketLink
  readonly #pace: typeof PACE
  readonly #waiting: object[] = []
  #isSending = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(id: HolderId, address: HolderAddress, { identity, greeting, pace = PACE }: PeerOutboxOptions) {
    this.#pace = pace
    const onUp = (): void => {
      for (const message of greeting()) this.send(message)
    }
    this.#link = new SocketLink(id, address, { identity, onUp })
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
    return this.#link.request(message, this.#pace.timeout)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#link.close()
  }

  #again(): void {
    this.#timer = undefined
    void this.#drain()
  }

  async #drain(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    try {
      while (this.#waiting.length > 0) {
        await this.#link.request(this.#waiting[0] as object, this.#pace.timeout)
        this.#waiting.shift()
      }
    } catch {
      // Away, or stopped with its connection open: what waits behind a message that was not answered is sent
      // without anything else having to happen.
      if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#again(), this.#pace.again).unref()
    } finally {
      this.#isSending = false
    }
  }
}
