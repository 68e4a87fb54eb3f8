import { type Clock, systemClock } from '@postern/core'
import type { Mail, Mailer } from './mailer.ts'

export interface PostmanOptions {
  readonly mailer: Mailer
  readonly clock?: Clock
  /** Receives what failed in the background. Never the text of a mail. */
  readonly onError: (error: unknown) => void
}

const MOST_AT_ONCE = 200
const PER_RECIPIENT = 5
const WINDOW_MS = 3_600_000
const REMEMBERED = 20_000

/**
 * Does what a request asks for by mail after it was answered, so that the time of the answer does not tell
 * whether there is such an account. At most five mails an hour go to one address, whoever asks for them.
 */
export class Postman {
  readonly #mailer: Mailer
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #running = new Set<Promise<void>>()
  readonly #sent = new Map<string, { count: number; until: number }>()

  constructor(options: PostmanOptions) {
    this.#mailer = options.mailer
    this.#clock = options.clock ?? systemClock
    this.#onError = options.onError
  }

  /** Runs work after this turn of the event loop. Work beyond 200 pieces at once is dropped and reported. */
  later(work: () => Promise<Mail | undefined>): void {
    if (this.#running.size >= MOST_AT_ONCE) {
      this.#onError(new Error('too many mails at once; one was not sent'))
      return
    }
    const running = new Promise<void>(resolve => setImmediate(resolve))
      .then(work)
      .then(async mail => {
        if (mail !== undefined && this.#mayReceive(mail.to)) await this.#mailer.send(mail)
      })
      .catch(this.#onError)
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when everything asked for so far was sent or failed. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #mayReceive(to: string): boolean {
    const now = this.#clock.now()
    const sent = this.#sent.get(to)
    if (sent !== undefined && sent.until > now) return ++sent.count <= PER_RECIPIENT
    if (this.#sent.size >= REMEMBERED) {
      const [oldest] = this.#sent.keys()
      if (oldest !== undefined) this.#sent.delete(oldest)
    }
    this.#sent.delete(to)
    this.#sent.set(to, { count: 1, until: now + WINDOW_MS })
    return true
  }
}
