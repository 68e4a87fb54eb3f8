import { type Clock, type Event, StoreError } from '@postern/core'
import { type PostgresDatabase, PostgresError } from '@postern/store'
import { eventText } from '../entry/event-text.ts'
import type { LeafReceipt } from '../log/audit-log.ts'
import { INSERT_INBOX } from './audit.sql.ts'

/** Rows of one statement. */
const GROUP = 1_000
const GROUP_CHARS = 4 << 20
/** Characters of what waits and nobody waits for, and four times as many in all: the bound on memory. */
const MAX_WAITING_CHARS = 64 << 20
/** Pauses before events that no caller waits for are inserted again. */
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 2_000

/** Who waits for the number of an entry. */
export interface Waiter {
  resolve(receipt: LeafReceipt): void
  reject(error: Error): void
}

interface Handed {
  readonly kind: 'event' | 'erasure'
  readonly text: string
  readonly waiter: Waiter | undefined
}

export interface InboxWriterOptions {
  readonly database: Pick<PostgresDatabase, 'query'>
  readonly clock: Clock
  /** Most events that wait and that no caller waits for; four times as many in all. */
  readonly maxWaiting: number
  /** A row is stored whose number somebody waits for. */
  readonly onStored: (inbox: string, waiter: Waiter) => void
  /** At the end of each statement. @param problem why it failed; undefined when it did not */
  readonly onResult: (problem: string | undefined) => void
  /** Before the next statement: time to number what is stored. */
  readonly onAttempt: () => void
}

/** Why fewer rows are stored than were inserted. */
const DROPS = 'the inbox drops events: somebody put a trigger or a rule on audit_inbox'

/** @throws StoreError when the inbox has fewer rows than were inserted, and the statement did not fail */
export function requireStored(rows: number, events: number): void {
  if (rows < events) throw inboxError(DROPS, false)
}

/** An error of the log in PostgreSQL. */
export function inboxError(message: string, retryable: boolean): StoreError {
  return new StoreError(message, { store: 'audit log in postgres', retryable })
}

/**
 * Classes of SQLSTATE that are about what the statement brought (PostgreSQL manual, appendix A): values,
 * constraints, views, limits of the program, and what triggers say.
 */
const ABOUT_CONTENT = /^(?:22|23|44|54|P0)/

/** Whether the database would refuse the same events again, in whatever state it is. */
function refusesContent(error: StoreError): boolean {
  return error instanceof PostgresError && ABOUT_CONTENT.test(error.state ?? '')
}

/**
 * Writes what is handed to the log into its inbox, as much at a time as has come. While the database takes
 * nothing, events that nobody waits for are kept, bounded and counted, and callers get the error.
 */
export class InboxWriter {
  readonly #options: InboxWriterOptions
  #queue: Handed[] = []
  #chars = 0
  #inserting: Promise<void> | undefined = undefined
  #lost = 0
  #lostReported = 0
  #problem: string | undefined = undefined
  #pause = FIRST_PAUSE_MS
  /** Ends the pause: somebody waits for an answer, or the log closes. */
  #endPause: (() => void) | undefined = undefined
  #state: 'open' | 'finishing' | 'closed' = 'open'

  constructor(options: InboxWriterOptions) {
    this.#options = options
  }

  /** Events that are not stored yet. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Events that never will be. */
  get lost(): number {
    return this.#lost
  }

  /** Takes an event that nobody waits for; it may be lost, and is counted then. */
  offer(event: Event): void {
    const isFull = this.#queue.length >= this.#options.maxWaiting || this.#chars > MAX_WAITING_CHARS
    if (isFull || this.#state === 'closed') {
      this.#lost++
      return
    }
    try {
      this.#hand({ kind: 'event', text: eventText(event), waiter: undefined })
    } catch {
      this.#lost++
    }
  }

  /** Resolves when whoever numbers entries has done so. @throws StoreError when it cannot be stored */
  wait(kind: 'event' | 'erasure', text: string): Promise<LeafReceipt> {
    if (this.#state === 'closed') return Promise.reject(inboxError('is closed', false))
    if (this.#queue.length >= this.#options.maxWaiting * 4 || this.#chars > MAX_WAITING_CHARS * 4)
      return Promise.reject(inboxError(`${this.#queue.length} events wait to become durable`, true))
    return new Promise((resolve, reject) => this.#hand({ kind, text, waiter: { resolve, reject } }))
  }

  #hand(handed: Handed): void {
    this.#queue.push(handed)
    this.#chars += handed.text.length
    if (handed.waiter !== undefined) this.#endPause?.()
    this.#inserting ??= this.#insert()
  }

  /** Everything that waits goes into the inbox in one statement, then the next. */
  async #insert(): Promise<void> {
    await Promise.resolve()
    try {
      while (this.#queue.length > 0) await this.#insertGroup()
    } finally {
      // In the turn in which the queue was found empty: what is handed over next starts a new one.
      this.#inserting = undefined
    }
  }

  async #insertGroup(): Promise<void> {
    const kind = this.#queue[0]?.kind ?? 'event'
    await this.#store(kind, this.#takeGroup(kind))
    this.#options.onAttempt()
  }

  async #store(kind: Handed['kind'], group: readonly Handed[]): Promise<void> {
    try {
      const texts = group.map(({ text }) => text)
      const { rows } = await this.#options.database.query<{ id: string }>(INSERT_INBOX, [kind, texts])
      if (rows.length < group.length) return this.#dropped(group, group.length - rows.length)
      for (const [i, { waiter }] of group.entries())
        if (waiter !== undefined) this.#options.onStored(rows[i]?.id ?? '', waiter)
      this.#problem = undefined
      this.#pause = FIRST_PAUSE_MS
      this.#options.onResult(undefined)
      this.#reportLoss()
    } catch (error) {
      const failure = error instanceof StoreError ? error : inboxError('could not write', true)
      if (refusesContent(failure) && group.length > 1) return await this.#storeHalves(kind, group)
      this.#problem = failure.message
      this.#options.onResult(failure.message)
      if (this.#failed(group, failure)) await this.#rest()
    }
  }

  /** Which ones are missing nobody can tell: no number that came back is taken for that of an event. */
  #dropped(group: readonly Handed[], count: number): void {
    this.#lost += count
    this.#options.onResult(DROPS)
    for (const { waiter } of group) waiter?.reject(inboxError(DROPS, false))
  }

  /** One event that the database refuses takes none with it that came at the same time. */
  async #storeHalves(kind: Handed['kind'], group: readonly Handed[]): Promise<void> {
    const middle = group.length >> 1
    await this.#store(kind, group.slice(0, middle))
    await this.#store(kind, group.slice(middle))
  }

  /** The first that wait, of one kind: as many as one statement takes. */
  #takeGroup(kind: Handed['kind']): readonly Handed[] {
    let count = 0
    let chars = 0
    while (count < GROUP && chars <= GROUP_CHARS && this.#queue[count]?.kind === kind)
      chars += this.#queue[count++]?.text.length ?? 0
    this.#chars -= chars
    return this.#queue.splice(0, count)
  }

  /**
   * Waits before the next attempt, longer each time; a caller that waits for its answer is not kept waiting.
   */
  #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#pause)
    this.#pause = Math.min(LAST_PAUSE_MS, this.#pause * 2)
    this.#endPause = resolve
    if (this.#state !== 'open' || this.#queue.some(({ waiter }) => waiter !== undefined)) resolve()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#endPause = undefined
    })
  }

  /**
   * Callers that wait get the error; events that nobody waits for are kept for another attempt, as far as
   * there is room, unless the database refuses what they say: a password that was changed or a right that
   * was taken away is put right without a restart. What it broke off in the middle of may be entered twice:
   * better than not at all.
   * @returns whether some are kept
   */
  #failed(group: readonly Handed[], error: StoreError): boolean {
    if (refusesContent(error)) {
      for (const handed of group) this.#drop(handed, error)
      return false
    }
    // Nobody is served while the database is away: who waits behind this group learns of it now, too.
    const all = [...group, ...this.#queue]
    this.#queue = []
    this.#chars = 0
    for (const handed of all) {
      const isKept = handed.waiter === undefined && this.#state === 'open'
      if (isKept && this.#queue.length < this.#options.maxWaiting && this.#chars <= MAX_WAITING_CHARS) {
        this.#queue.push(handed)
        this.#chars += handed.text.length
      } else this.#drop(handed, error)
    }
    return this.#queue.length > 0
  }

  #drop({ waiter }: Handed, error: StoreError): void {
    if (waiter === undefined) this.#lost++
    else waiter.reject(error)
  }

  #reportLoss(): void {
    const count = this.#lost - this.#lostReported
    if (count === 0) return
    this.#lostReported = this.#lost
    this.offer({ type: 'audit.lost', time: this.#options.clock.now(), actor: {}, data: { count } })
  }

  /**
   * Resolves when what waits is in the inbox. @throws StoreError when it rests because the database does not
   * take it
   */
  async settled(): Promise<void> {
    while (this.#inserting !== undefined) {
      if (this.#endPause !== undefined && this.#state === 'open')
        throw inboxError(`cannot write: ${this.#problem ?? 'it failed'}`, true)
      await Promise.race([this.#inserting, new Promise(resolve => setTimeout(resolve, 5))])
    }
  }

  /** One more attempt for what waits; then it is lost. */
  async finish(): Promise<void> {
    this.#state = 'finishing'
    this.#endPause?.()
    await this.#inserting
  }

  /** Takes nothing more. */
  close(): void {
    this.#state = 'closed'
  }
}
