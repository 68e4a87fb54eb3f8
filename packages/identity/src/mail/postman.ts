import { type Clock, systemClock } from '@postern/core'
import type { Mail, Mailer } from './mailer.ts'

export interface PostmanOptions {
  readonly mailer: Mailer
  readonly clock?: Clock
  /** Receives what failed in the background. Never the text of a mail. */
  readonly onError: (error: unknown) => void
}

const MOST_AT_ONCE = 200
/** Mails that anybody can ask for. */
const ASKED_PER_RECIPIENT = 5
/** Notices of what was changed, which only somebody who is signed in can cause. */
const NOTICES_PER_RECIPIENT = 20
const WINDOW_MS = 3_600_000
const REMEMBERED = 20_000

/** What is under way, and what was sent to whom. */
interface Lane {
  readonly perRecipient: number
  readonly running: Set<Promise<void>>
  readonly sent: Map<string, { count: number; until: number }>
}

function lane(perRecipient: number): Lane {
  return { perRecipient, running: new Set(), sent: new Map() }
}

/**
 * Does what a request asks for by mail after it was answered, so that the time of the answer does not tell
 * whether there is such an account. At most five mails an hour that strangers can ask for go to one address,
 * whoever asks. Notices of a change are counted apart: a thief who asks for mails first keeps none of them
 * from its owner.
 */
export class Postman {
  readonly #mailer: Mailer
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #asked = lane(ASKED_PER_RECIPIENT)
  readonly #notices = lane(NOTICES_PER_RECIPIENT)

  constructor(options: PostmanOptions) {
    this.#mailer = options.mailer
    this.#clock = options.clock ?? systemClock
    this.#onError = options.onError
  }

  /** Runs work after this turn of the event loop. Work beyond 200 pieces at once is dropped and reported. */
  later(work: () => Promise<Mail | undefined>): void {
    this.#run(this.#asked, work)
  }

  /** As `later`, for a notice of what was changed about an account. */
  notify(work: () => Promise<Mail | undefined>): void {
    this.#run(this.#notices, work)
  }

  #run(lane: Lane, work: () => Promise<Mail | undefined>): void {
    if (lane.running.size >= MOST_AT_ONCE) {
      this.#onError(new Error('too many mails at once; one was not sent'))
      return
    }
    const running = new Promise<void>(resolve => setImmediate(resolve))
      .then(work)
      .then(async mail => {
        if (mail !== undefined && this.#mayReceive(lane, mail.to)) await this.#mailer.send(mail)
      })
      .catch(this.#onError)
      .finally(() => lane.running.delete(running))
    lane.running.add(running)
  }

  /** Resolves when everything asked for so far was sent or failed. */
  async drain(): Promise<void> {
    const lanes = [this.#asked, this.#notices]
    while (lanes.some(({ running }) => running.size > 0))
      await Promise.all(lanes.flatMap(({ running }) => [...running]))
  }

  #mayReceive({ perRecipient, sent }: Lane, to: string): boolean {
    const now = this.#clock.now()
    const before = sent.get(to)
    if (before !== undefined && before.until > now) return ++before.count <= perRecipient
    if (sent.size >= REMEMBERED) {
      const [oldest] = sent.keys()
      if (oldest !== undefined) sent.delete(oldest)
    }
    sent.delete(to)
    sent.set(to, { count: 1, until: now + WINDOW_MS })
    return true
  }
}
