import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exchange } from '@postern/core'
import type { GatewaySettings } from '../options/gateway-options.ts'

/**
 * Bytes both ways after the decision, with back-pressure, until either side ends, nothing moves for
 * `tunnelIdle`, `tunnelLifetime` is over, `recheck` says no, or the gateway stops.
 */
export class Tunnel {
  readonly #client: Socket
  readonly #backend: Duplex
  readonly #exchange: Exchange
  readonly #settings: GatewaySettings
  readonly #onClose: (bytesToClient: number) => void
  readonly #timer: NodeJS.Timeout
  readonly #lifetime: NodeJS.Timeout
  #idleFor = 0
  #sinceRecheck = 0
  #rechecking = false
  #toClient = 0
  #open = true

  constructor(
    client: Socket,
    backend: Duplex,
    exchange: Exchange,
    settings: GatewaySettings,
    onClose: (bytesToClient: number) => void,
  ) {
    this.#client = client
    this.#backend = backend
    this.#exchange = exchange
    this.#settings = settings
    this.#onClose = onClose
    const { tunnelIdle, tunnelRecheck, tunnelLifetime } = settings.timeouts
    const period = Math.min(tunnelIdle, tunnelRecheck)
    this.#timer = setInterval(() => this.#check(period), period)
    this.#lifetime = setTimeout(() => this.close(), tunnelLifetime)
    client.setTimeout(0)
    client.setNoDelay(true)
    client.on('data', () => {
      this.#idleFor = 0
    })
    backend.on('data', (chunk: Buffer) => {
      this.#idleFor = 0
      this.#toClient += chunk.length
    })
    for (const side of [client, backend]) {
      side.on('error', () => this.close())
      side.on('close', () => this.close())
    }
    client.pipe(backend)
    backend.pipe(client)
  }

  /** What it was opened for. */
  get exchange(): Exchange {
    return this.#exchange
  }

  /** Asks now whether it still holds. */
  recheck(): void {
    const { recheck } = this.#settings
    if (recheck !== undefined) this.#ask(recheck)
  }

  #check(period: number): void {
    this.#idleFor += period
    this.#sinceRecheck += period
    if (this.#idleFor > this.#settings.timeouts.tunnelIdle) {
      this.close()
      return
    }
    const { recheck } = this.#settings
    if (
      recheck === undefined ||
      this.#rechecking ||
      this.#sinceRecheck < this.#settings.timeouts.tunnelRecheck
    )
      return
    this.#sinceRecheck = 0
    void this.#ask(recheck)
  }

  async #ask(recheck: (exchange: Exchange) => boolean | Promise<boolean>): Promise<void> {
    this.#rechecking = true
    try {
      if (!(await recheck(this.#exchange))) this.close()
    } catch {
      // Who cannot be checked is not let through: a tunnel is as powerful as its session.
      this.close()
    }
    this.#rechecking = false
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    clearTimeout(this.#lifetime)
    // What was received is still delivered to a client that reads; then both are gone, whatever either does.
    if (!this.#client.destroyed) {
      const unread = setTimeout(() => this.#client.destroy(), this.#settings.timeouts.clientStall)
      this.#client.once('close', () => clearTimeout(unread))
    }
    this.#client.destroySoon()
    this.#backend.end()
    this.#backend.destroy()
    this.#onClose(this.#toClient)
  }
}
