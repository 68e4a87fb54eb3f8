import type { Socket } from 'node:net'
import type { Awaits, Standing } from '../connection/slow-lane.ts'
import type { ProxiedExchange } from '../exchange/proxied-exchange.ts'
import type { RequestBody } from '../message/request-body.ts'

/** Requests that a client may send ahead of their answers. */
const MAX_PIPELINED = 32

/**
 * One HTTP/1 connection. Its requests are worked on one after another, as RFC 9112 section 9.3.2 asks unless
 * all are safe: a pipelined one waits for the answer before it.
 */
export class Http1Connection implements Standing {
  readonly peer: string | undefined
  readonly localPort: number | undefined
  current: ProxiedExchange | undefined = undefined
  /** Of the latest request; what is left of it may still be arriving after the answer. */
  body: RequestBody | undefined = undefined
  readonly #socket: Socket
  readonly #maxRequests: number
  readonly #isDraining: () => boolean
  #requests = 0
  #busy = false
  #isEnding = false
  #waiting: (() => void)[] | undefined = undefined

  /** @param maxRequests after which the connection is closed */
  constructor(socket: Socket, peer: string | undefined, maxRequests: number, isDraining: () => boolean) {
    this.#socket = socket
    this.#maxRequests = maxRequests
    this.peer = peer
    this.localPort = socket.localPort
    this.#isDraining = isDraining
    socket.once('close', () => this.body?.abandon())
  }

  /** Whether the next answer is the last. */
  get closing(): boolean {
    return this.#requests >= this.#maxRequests || this.#isDraining()
  }

  get busy(): boolean {
    return this.#busy
  }

  get requests(): number {
    return this.#requests
  }

  get awaits(): Awaits {
    if (this.body?.complete === false) return 'body'
    return this.#busy ? 'nothing' : 'head'
  }

  /**
   * The answer now being sent is the last: what follows on this connection is not read (RFC 9112 section
   * 9.6). After a refusal it may be the rest of a request that was read differently, and must not run as one
   * of its own.
   */
  end(): void {
    this.#isEnding = true
    this.#waiting = undefined
  }

  /** Begins a request now, or once those before it are answered; never after the last answer. */
  take(begin: () => void): void {
    if (this.#isEnding) return
    if (!this.#busy) {
      this.#busy = true
      this.#requests++
      begin()
      return
    }
    this.#waiting ??= []
    if (this.#waiting.length >= MAX_PIPELINED) this.destroy()
    else this.#waiting.push(begin)
  }

  /** The current request is answered, or the connection is gone. */
  advance(): void {
    this.current = undefined
    const next = this.#socket.destroyed ? undefined : this.#waiting?.shift()
    if (next === undefined) this.#busy = false
    else {
      this.#requests++
      next()
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
