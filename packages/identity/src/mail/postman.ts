import { type Address, type Clock, networkOf, systemClock } from '@postern/core'
import type { RecordStore } from '../records/record-store.ts'
import { countMail, MAIL_WINDOW_MS, type MailCount } from './mail-counts.ts'
import type { Mail, Mailer } from './mailer.ts'

export interface PostmanOptions {
  readonly mailer: Mailer
  readonly clock?: Clock
  /** Receives what failed in the background. Never the text of a mail. */
  readonly onError: (error: unknown) => void
  /**
   * Counts that all threads and processes share: without them each of them sends as many as it may.
   * Default: none.
   */
  readonly counts?: RecordStore<MailCount>
}

const MOST_AT_ONCE = 200
/** Mails that anybody can ask for. */
const ASKED_PER_RECIPIENT = 5
/** Mails that one address, or one network of an IPv6 customer, can ask for in the window, and at once. */
const ASKED_PER_CLIENT = 100
const AT_ONCE_PER_CLIENT = 20
/** Notices of what was changed, which only somebody who is signed in can cause. */
const NOTICES_PER_RECIPIENT = 20
const REMEMBERED = 20_000

/** Who asks for a mail, and where it would go. */
export interface AskedMail {
  readonly to: string
  /** Address of the client. */
  readonly by: Address | undefined
}

/** How often something was asked for in the window, by whom or for whom. */
class Counts {
  readonly #kept = new Map<string, { count: number; until: number }>()

  /** Counts one more. @returns how many that makes */
  add(key: string, now: number): number {
    const before = this.#kept.get(key)
    if (before !== undefined && before.until > now) return ++before.count
    if (this.#kept.size >= REMEMBERED) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.delete(key)
    this.#kept.set(key, { count: 1, until: now + MAIL_WINDOW_MS })
    return 1
  }
}

/** What is under way, by the client that asked for it, and what was sent to whom. */
interface Lane {
  readonly running: Map<Promise<void>, string>
  readonly sent: Counts
}

function lane(): Lane {
  return { running: new Map(), sent: new Counts() }
}

/**
 * Does what a request asks for by mail after it was answered, so that the time of the answer does not tell
 * whether there is such an account. At most five mails an hour that strangers can ask for go to one address,
 * whoever asks. One client can ask for a hundred, to whatever addresses, and has twenty under way: it neither
 * makes the site a sender of unwanted mail nor keeps the mails of others waiting. Notices of a change are
 * counted apart: a thief who asks for mails first keeps none of them from its owner.
 */
export class Postman {
  readonly #mailer: Mailer
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #asked = lane()
  readonly #notices = lane()
  readonly #askers = new Counts()
  readonly #counts: RecordStore<MailCount> | undefined

  constructor(options: PostmanOptions) {
    this.#mailer = options.mailer
    this.#clock = options.clock ?? systemClock
    this.#onError = options.onError
    this.#counts = options.counts
  }

  /**
   * Runs work after this turn of the event loop, unless enough was asked for. Work beyond 200 pieces at once
   * is dropped and reported.
   */
  later({ to, by }: AskedMail, work: () => Promise<Mail | undefined>): void {
    const client = by === undefined ? '' : networkOf(by)
    let own = 0
    for (const other of this.#asked.running.values()) if (other === client) own++
    const now = this.#clock.now()
    const asked = this.#askers.add(client, now)
    if (asked === ASKED_PER_CLIENT + 1) this.#reportAsker()
    if (asked > ASKED_PER_CLIENT || own >= AT_ONCE_PER_CLIENT) return
    // Before the work: what is not sent needs no link that works either.
    if (this.#asked.sent.add(to, now) > ASKED_PER_RECIPIENT) return
    this.#run(this.#asked, client, async () => ((await this.#mayAsk(client, to)) ? work() : undefined))
  }

  /** Whether all processes together sent few enough. */
  async #mayAsk(client: string, to: string): Promise<boolean> {
    const own = await this.#countAll(`by ${client}`, ASKED_PER_CLIENT)
    if (own === ASKED_PER_CLIENT + 1) this.#reportAsker()
    return (
      own <= ASKED_PER_CLIENT &&
      (await this.#countAll(`to ${to}`, ASKED_PER_RECIPIENT)) <= ASKED_PER_RECIPIENT
    )
  }

  /** @returns how many that makes in all processes; 0 where that is not known, and each counts its own */
  async #countAll(key: string, most: number): Promise<number> {
    if (this.#counts === undefined) return 0
    try {
      return await countMail(this.#counts, key, most, this.#clock.now())
    } catch (error) {
      this.#onError(error)
      return 0
    }
  }

  #reportAsker(): void {
    this.#onError(new Error(`one client asked for more than ${ASKED_PER_CLIENT} mails in an hour`))
  }

  /** As `later`, for a notice of what was changed about an account. */
  notify(work: () => Promise<Mail | undefined>): void {
    const { sent } = this.#notices
    this.#run(this.#notices, '', async () => {
      const mail = await work()
      if (mail === undefined || sent.add(mail.to, this.#clock.now()) > NOTICES_PER_RECIPIENT) return undefined
      const all = await this.#countAll(`notice ${mail.to}`, NOTICES_PER_RECIPIENT)
      return all > NOTICES_PER_RECIPIENT ? undefined : mail
    })
  }

  #run({ running }: Lane, client: string, work: () => Promise<Mail | undefined>): void {
    if (running.size >= MOST_AT_ONCE) {
      this.#onError(new Error('too many mails at once; one was not sent'))
      return
    }
    const piece = new Promise<void>(resolve => setImmediate(resolve))
      .then(work)
      .then(async mail => {
        if (mail !== undefined) await this.#mailer.send(mail)
      })
      .catch(this.#onError)
      .finally(() => running.delete(piece))
    running.set(piece, client)
  }

  /** Resolves when everything asked for so far was sent or failed. */
  async drain(): Promise<void> {
    const lanes = [this.#asked, this.#notices]
    while (lanes.some(({ running }) => running.size > 0))
      await Promise.all(lanes.flatMap(({ running }) => [...running.keys()]))
  }
}
