import type { Answered } from './answered.ts'
import type { HolderLink } from './holder-link.ts'
import type { HolderId } from './part.ts'
import type { Refused } from './refusal-error.ts'

interface GatheringOptions {
  /** Holders in the order in which they are asked. */
  readonly links: readonly HolderLink[]
  /**
   * `two`: two are asked, the next when one fails or is late. `all`: all are asked,
   * and the third is waited for a little.
   */
  readonly how: 'two' | 'all'
  readonly ask: (link: HolderLink) => Promise<Answered | Refused>
  /** Milliseconds: until another is asked (`two`), or the third is no longer waited for (`all`). */
  readonly wait: number
  /** Called with holders that did not answer in that time. */
  readonly onLate: (holders: ReadonlySet<HolderId>) => void
}

interface Outcome {
  readonly answers: readonly Answered[]
  readonly refusals: readonly Refused[]
}

/** One request to several holders, until enough have answered or none is left to ask. */
export class Gathering {
  /** Resolves with two answers or more, or with fewer when no more are available. Never rejects. */
  readonly outcome: Promise<Outcome>
  readonly #options: GatheringOptions
  readonly #waiting: HolderLink[]
  readonly #answers: Answered[] = []
  readonly #refusals: Refused[] = []
  readonly #pending = new Set<HolderId>()
  readonly #resolve: (outcome: Outcome) => void
  #timer: NodeJS.Timeout | undefined
  #isDone = false

  constructor(options: GatheringOptions) {
    this.#options = options
    this.#waiting = [...options.links]
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.outcome = promise
    this.#resolve = resolve
    if (options.how === 'all') while (this.#waiting.length > 0) this.#askNext()
    else {
      this.#askNext()
      this.#askNext()
      this.#timer = setTimeout(() => this.#hedge(), options.wait)
    }
    if (this.#pending.size === 0) this.#finish()
  }

  #askNext(): void {
    const link = this.#waiting.shift()
    if (link === undefined) return
    this.#pending.add(link.id)
    this.#options
      .ask(link)
      .then(
        answer => {
          if ('parts' in answer) this.#answers.push(answer)
          else this.#refusals.push(answer)
        },
        () => {},
      )
      .finally(() => {
        this.#pending.delete(link.id)
        if (!this.#isDone) this.#afterOne()
      })
  }

  #afterOne(): void {
    const { how, wait } = this.#options
    const answered = this.#answers.length
    if (how === 'all') {
      if (this.#pending.size === 0) this.#finish()
      else if (answered === 2) this.#timer = setTimeout(() => this.#giveUpOnThird(), wait)
    } else if (answered === 2) this.#finish()
    // A refusal or a failure: the next holder may still make two.
    else if (answered + this.#pending.size < 2 && this.#waiting.length > 0) this.#askNext()
    else if (this.#pending.size === 0) this.#finish()
  }

  #hedge(): void {
    if (this.#isDone) return
    this.#options.onLate(new Set(this.#pending))
    this.#askNext()
  }

  #giveUpOnThird(): void {
    this.#options.onLate(new Set(this.#pending))
    this.#finish()
  }

  #finish(): void {
    this.#isDone = true
    clearTimeout(this.#timer)
    this.#resolve({ answers: this.#answers, refusals: this.#refusals })
  }
}
