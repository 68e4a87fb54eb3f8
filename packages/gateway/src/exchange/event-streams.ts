import type { Exchange } from '@postern/core'
import type { GatewaySettings } from '../options/gateway-options.ts'

const CONTENT_TYPE = 'content-type'

/** An answer that goes on for as long as its client stays. */
export interface EventStream {
  readonly exchange: Exchange
  /** Ends it at once. */
  cutOff(): void
}

/**
 * The streams of events (`text/event-stream`) that are open: like tunnels they outlive the decision about
 * their request, so `recheck` is asked about them again and again, and whenever something was revoked.
 */
export class EventStreams {
  readonly #settings: Pick<GatewaySettings, 'recheck' | 'timeouts'>
  readonly #open = new Set<EventStream>()
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(settings: Pick<GatewaySettings, 'recheck' | 'timeouts'>) {
    this.#settings = settings
  }

  /** Notes a stream, unless nobody would be asked about it. */
  add(stream: EventStream): void {
    if (this.#settings.recheck === undefined) return
    this.#open.add(stream)
    this.#timer ??= setInterval(() => this.recheck(() => true), this.#settings.timeouts.tunnelRecheck).unref()
  }

  delete(stream: EventStream): void {
    if (!this.#open.delete(stream) || this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Asks about all streams that this may concern, and ends those that no longer hold. */
  recheck(concerns: (exchange: Exchange) => boolean): void {
    for (const stream of this.#open) if (concerns(stream.exchange)) this.#ask(stream)
  }

  async #ask(stream: EventStream): Promise<void> {
    try {
      if (await this.#settings.recheck?.(stream.exchange)) return
    } catch {
      // Who cannot be checked is not let through: a stream is as powerful as its session.
    }
    if (this.#open.has(stream)) stream.cutOff()
  }
}

/**
 * Whether an answer is a stream of events (WHATWG HTML, server-sent events).
 * @param headers name, value, ...
 */
export function isEventStream(headers: readonly string[]): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === CONTENT_TYPE.length && name.toLowerCase() === CONTENT_TYPE)
      return /^text\/event-stream *(?:;|$)/i.test(headers[i + 1] as string)
  }
  return false
}
