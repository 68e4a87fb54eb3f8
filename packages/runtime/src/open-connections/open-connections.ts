import { ALLOW, type AnswerHead, type Decision, type Exchange, type Guard } from '@postern/core'

/** How often everything that is open is asked about, for what no message tells: milliseconds. */
const REGULARLY = 30_000
const EVENT_STREAM = /^text\/event-stream *(?:;|$)/i
const SMALL_E = 101

/**
 * The WebSockets and streams of events (`text/event-stream`) of the application in this process. They outlive
 * the decision about their request, so they are asked about again: regularly, and whenever somebody was
 * revoked or banned. A gateway does the same with its own. It is a guard to see them come and go; it refuses
 * nothing.
 */
export class OpenConnections implements Guard {
  readonly name = 'connections'
  readonly failure = 'open'
  readonly #open = new Set<Exchange>()
  #holds: (exchange: Exchange) => boolean | Promise<boolean> = () => true
  #timer: NodeJS.Timeout | undefined

  /** @param holds whether what an exchange began may go on; rejects where nobody can say, and it ends then */
  follow(holds: (exchange: Exchange) => boolean | Promise<boolean>): void {
    this.#holds = holds
  }

  decide(): Decision {
    return ALLOW
  }

  onAnswer(exchange: Exchange, head: AnswerHead): void {
    const type = head.get('content-type')
    // Asked of every answer: the letter behind the slash rules out nearly all of them.
    if (type !== undefined && (type.charCodeAt(5) | 32) === SMALL_E && EVENT_STREAM.test(type))
      this.onUpgrade(exchange)
  }

  onUpgrade(exchange: Exchange): void {
    if (exchange.settled || exchange.source.cutOff === undefined) return
    this.#open.add(exchange)
    this.#timer ??= setInterval(() => this.recheck(() => true), REGULARLY).unref()
  }

  settle(exchange: Exchange): void {
    if (this.#open.size === 0 || !this.#open.delete(exchange) || this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Asks about all that this may concern, and ends what no longer holds. */
  recheck(concerns: (exchange: Exchange) => boolean): void {
    for (const exchange of this.#open) if (concerns(exchange)) void this.#ask(exchange)
  }

  async #ask(exchange: Exchange): Promise<void> {
    try {
      if (await this.#holds(exchange)) return
    } catch {
      // Who cannot be checked is not let through: a connection is as powerful as its session.
    }
    if (this.#open.has(exchange)) exchange.source.cutOff?.()
  }

  /** Stops asking. What is open stays so: the application closes it. */
  close(): void {
    clearInterval(this.#timer)
    this.#open.clear()
  }
}
