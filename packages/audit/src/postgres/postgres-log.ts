import { type Clock, type Duration, type Event, type Health, parseDuration, StoreError } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import type { AuditCounts, AuditLog, LeafReceipt } from '../audit-log.ts'
import type { AuditQuery } from '../audit-query.ts'
import type { CheckpointPublisher } from '../checkpoint-publisher.ts'
import type { Erasure } from '../compose-leaf.ts'
import type { Cursor } from '../cursor.ts'
import { type Entry, subjectName } from '../entry.ts'
import { eventText } from '../event-text.ts'
import { FloodCounter } from '../flood.ts'
import { leafHash } from '../format/merkle-tree.ts'
import type { LogReader } from '../log-reader.ts'
import { actAround } from '../promises.ts'
import { FORGET_DAYS, INSERT_INBOX } from './audit.sql.ts'
import { HeldCursor } from './held-cursor.ts'
import { searchToken } from './postgres-subjects.ts'
import type { Sequencer } from './sequencer.ts'

/** The log in PostgreSQL: also accepts events inside the caller's own transaction. */
export interface PostgresAuditLog extends AuditLog {
  /** Reads what is published, verified with the log's own keys. */
  readonly reader: LogReader
  /**
   * Durability mode `with`: the event is logged if and only if the caller's transaction commits.
   * @param tx a client inside a transaction on the log's own database
   * @throws ConfigError for a value that is not an event
   */
  appendIn(tx: Pick<SqlClient, 'query'>, event: Event): Promise<void>
  /**
   * A cursor that the instances of the log share, one at a time holding it: for a `Shipper`, or
   * anything else that only one of them should do.
   * @param options.hold time after which another instance may take over from one that died; longer
   *   than anything done under it. Default 30s
   */
  cursor(name: string, options?: { readonly hold?: Duration }): Cursor
}

/** Settings of an instance; times in milliseconds. */
export interface DatabaseLogParts {
  readonly database: PostgresDatabase
  readonly clock: Clock
  readonly pollInterval: number
  readonly commitTimeout: number
  readonly maxWaiting: number
  /** Age after which the keys of anonymous traffic are destroyed. Default: never. */
  readonly forgetAnonymousAfter: number | undefined
  readonly required: boolean
  readonly sequencer: Sequencer
  readonly searchKey: Uint8Array
  readonly reader: LogReader
  readonly publisher: CheckpointPublisher
  /** Unique among the instances. */
  readonly holder: string
}

interface Waiter {
  resolve(receipt: LeafReceipt): void
  reject(error: Error): void
}

interface Handed {
  readonly kind: 'event' | 'erasure'
  readonly text: string
  readonly waiter: Waiter | undefined
}

/** Whether earlier rows still wait, and whether the checkpoint is behind. */
interface Progress {
  readonly waits: boolean
  readonly behind: boolean
  readonly size: string
}

const GROUP = 1_000

/** How often anchors and witnesses are sent checkpoints that another instance may have signed. */
const TELL_MS = 1_000
const HOLD: Duration = '30s'
/** Pauses before looking again for the numbers of rows that callers wait for. */
const LOOK_AGAIN_MS = 25
const LAST_LOOK_MS = 500
/** Pauses before events that no caller waits for are inserted again. */
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 2_000

/** One instance of the log in a database. */
export class DatabaseLog implements PostgresAuditLog {
  readonly reader: LogReader
  readonly #parts: DatabaseLogParts
  readonly #database: PostgresDatabase
  readonly #sequencer: Sequencer
  readonly #clock: Clock
  readonly #floods: FloodCounter
  /** Rows that this instance inserted into the inbox, until their number is known. */
  readonly #unnumbered = new Map<string, { readonly waiter: Waiter; readonly since: number }>()
  #queue: Handed[] = []
  #inserting: Promise<void> | undefined = undefined
  #sequencing: Promise<void> | undefined = undefined
  #again = false
  #lost = 0
  #lostReported = 0
  #size = 0
  #trouble: string | undefined = undefined
  #lookingAgain: NodeJS.Timeout | undefined = undefined
  #lookAgainIn = LOOK_AGAIN_MS
  #pause = FIRST_PAUSE_MS
  /** Ends the pause: somebody waits for an answer, or the log closes. */
  #endPause: (() => void) | undefined = undefined
  #isClosing = false
  #isClosed = false
  #told = 0
  #forgotten = ''
  readonly #timer: NodeJS.Timeout

  constructor(parts: DatabaseLogParts) {
    this.#parts = parts
    this.#database = parts.database
    this.#sequencer = parts.sequencer
    this.reader = parts.reader
    this.#clock = parts.clock
    this.#floods = new FloodCounter({ clock: this.#clock, emit: event => this.#enqueue(event) })
    this.#timer = setInterval(() => this.#tick(), parts.pollInterval)
    this.#timer.unref()
  }

  record(event: Event): void {
    if (this.#floods.admits(event)) this.#enqueue(event)
  }

  #enqueue(event: Event): void {
    if (this.#queue.length >= this.#parts.maxWaiting || this.#isClosed) {
      this.#lost++
      return
    }
    try {
      this.#hand({ kind: 'event', text: eventText(event), waiter: undefined })
    } catch {
      this.#lost++
    }
  }

  async commit(event: Event): Promise<LeafReceipt> {
    return await this.#wait('event', eventText(event))
  }

  append(event: Event): Promise<LeafReceipt> {
    return this.commit(event)
  }

  #wait(kind: 'event' | 'erasure', text: string): Promise<LeafReceipt> {
    if (this.#isClosed) return Promise.reject(this.#error('is closed', false))
    if (this.#queue.length >= this.#parts.maxWaiting * 4)
      return Promise.reject(this.#error(`${this.#queue.length} events wait to become durable`, true))
    return new Promise((resolve, reject) => this.#hand({ kind, text, waiter: { resolve, reject } }))
  }

  #hand(handed: Handed): void {
    this.#queue.push(handed)
    if (handed.waiter !== undefined) this.#endPause?.()
    this.#inserting ??= this.#insert()
  }

  #error(message: string, retryable: boolean): StoreError {
    return new StoreError(message, { store: 'audit log in postgres', retryable })
  }

  /** Everything that waits goes into the inbox in one statement, then the next. */
  async #insert(): Promise<void> {
    await Promise.resolve()
    try {
      while (this.#queue.length > 0) await this.#insertGroup()
    } finally {
      // In the turn in which the queue was found empty: what is handed over next begins anew.
      this.#inserting = undefined
    }
  }

  async #insertGroup(): Promise<void> {
    const kind = this.#queue[0]?.kind ?? 'event'
    const end = this.#queue.findIndex(handed => handed.kind !== kind)
    const group = this.#queue.splice(0, Math.min(GROUP, end < 0 ? GROUP : end))
    try {
      const { rows } = await this.#database.query<{ id: string }>(INSERT_INBOX, [
        kind,
        group.map(({ text }) => text),
      ])
      const since = this.#clock.monotonic()
      for (const [i, { waiter }] of group.entries()) {
        if (waiter !== undefined) this.#unnumbered.set(rows[i]?.id ?? '', { waiter, since })
      }
      this.#trouble = undefined
      this.#pause = FIRST_PAUSE_MS
      this.#reportLoss()
    } catch (error) {
      if (this.#failed(group, error)) await this.#rest()
    }
    void this.sequence()
  }

  /**
   * Waits before the next attempt, longer each time; a caller that waits for its answer is not kept waiting.
   */
  #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#pause)
    this.#pause = Math.min(LAST_PAUSE_MS, this.#pause * 2)
    this.#endPause = resolve
    if (this.#isClosing || this.#queue.some(({ waiter }) => waiter !== undefined)) resolve()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#endPause = undefined
    })
  }

  /**
   * Callers that wait get the error; events that nobody waits for are kept for another attempt, as far as
   * there is room, unless the database will never take them. What it broke off in the middle of may be
   * entered twice: better than not at all.
   * @returns whether some are kept
   */
  #failed(group: readonly Handed[], cause: unknown): boolean {
    const error = cause instanceof StoreError ? cause : this.#error('could not write', true)
    this.#trouble = error.message
    if (!error.retryable) {
      for (const handed of group) this.#drop(handed, error)
      return false
    }
    // Nobody is served while the database is away: who waits behind this group learns of it now, too.
    const all = [...group, ...this.#queue]
    this.#queue = []
    for (const handed of all) {
      const isKept = handed.waiter === undefined && !this.#isClosing
      if (isKept && this.#queue.length < this.#parts.maxWaiting) this.#queue.push(handed)
      else this.#drop(handed, error)
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
    this.#enqueue({ type: 'audit.lost', time: this.#clock.now(), actor: {}, data: { count } })
  }

  cursor(name: string, options: { readonly hold?: Duration } = {}): Cursor {
    const hold = parseDuration(options.hold ?? HOLD, 'audit.cursor.hold')
    return new HeldCursor({ database: this.#database, name, holder: this.#parts.holder, hold })
  }

  async appendIn(tx: Pick<SqlClient, 'query'>, event: Event): Promise<void> {
    await tx.query('INSERT INTO audit_inbox (event) VALUES ($1)', [eventText(event)])
  }

  #tick(): void {
    this.#floods.tick()
    void this.sequence()
    const now = this.#clock.monotonic()
    if (now - this.#told >= TELL_MS) {
      this.#told = now
      void this.#parts.publisher.publish()
      void this.#forgetAnonymous()
    }
    this.#giveUp()
  }

  /** Rejects what callers have waited for as long as a commit may take. */
  #giveUp(): void {
    const late = this.#clock.monotonic() - this.#parts.commitTimeout
    for (const [id, { waiter, since }] of this.#unnumbered) {
      if (since > late) continue
      this.#unnumbered.delete(id)
      waiter.reject(this.#error('the event is stored, but no instance numbers entries', true))
    }
  }

  /**
   * Addresses and agents of anonymous traffic are sealed under one key per day, which
   * is destroyed when the day is old enough.
   */
  async #forgetAnonymous(): Promise<void> {
    const age = this.#parts.forgetAnonymousAfter
    if (age === undefined) return
    const day = new Date(Math.max(0, this.#clock.now() - age)).toISOString().slice(0, 10)
    if (day === this.#forgotten) return
    try {
      await this.#database.query(FORGET_DAYS, [day])
      this.#forgotten = day
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  /** Sequences until the inbox is empty; calls during a round cause one more round. */
  sequence(): Promise<void> {
    this.#again = true
    this.#sequencing ??= this.#sequenceAll()
    return this.#sequencing
  }

  async #sequenceAll(): Promise<void> {
    try {
      while (this.#again) await this.#sequenceOnce()
    } finally {
      // In the turn in which nothing was left to do: who asks next begins anew.
      this.#sequencing = undefined
      // Another instance was at work and may have been past our rows, or the step failed: a caller who waits
      // does not wait for the next poll.
      if (this.#unnumbered.size > 0) this.#lookAgain()
      else this.#lookAgainIn = LOOK_AGAIN_MS
    }
  }

  async #sequenceOnce(): Promise<void> {
    this.#again = false
    try {
      const done = await this.#sequencer.step()
      for (const { inbox, index, leafHash } of done) {
        this.#unnumbered.get(inbox)?.waiter.resolve({ index: BigInt(index), leafHash })
        this.#unnumbered.delete(inbox)
        this.#size = index + 1
      }
      if (done.length > 0) {
        this.#again = true
        void this.#parts.publisher.publish()
      } else if (this.#unnumbered.size > 0) await this.#askNumbers()
      this.#trouble = undefined
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  /**
   * Resolves when what waits is in the inbox. @throws StoreError when it rests because the database does not
   * take it
   */
  async #inserted(): Promise<void> {
    while (this.#inserting !== undefined) {
      if (this.#endPause !== undefined && !this.#isClosing)
        throw this.#error(`cannot write: ${this.#trouble ?? 'it failed'}`, true)
      await Promise.race([this.#inserting, new Promise(resolve => setTimeout(resolve, 5))])
    }
  }

  #lookAgain(): void {
    if (this.#isClosed || this.#lookingAgain !== undefined) return
    this.#lookingAgain = setTimeout(() => {
      this.#lookingAgain = undefined
      this.#giveUp()
      void this.sequence()
    }, this.#lookAgainIn)
    this.#lookAgainIn = Math.min(LAST_LOOK_MS, this.#lookAgainIn * 2)
  }

  /** Another instance may have numbered our rows. */
  async #askNumbers(): Promise<void> {
    const { rows } = await this.#database.query<{ inbox: string; idx: string; leaf: Buffer }>(
      `SELECT DISTINCT ON (inbox) inbox::text, idx::text, leaf FROM audit_entries
       WHERE inbox = ANY($1::bigint[]) ORDER BY inbox, idx DESC`,
      [[...this.#unnumbered.keys()]],
    )
    for (const { inbox, idx, leaf } of rows) {
      const hash = Buffer.from(leafHash(leaf)).toString('hex')
      this.#unnumbered.get(inbox)?.waiter.resolve({ index: BigInt(idx), leafHash: hash })
      this.#unnumbered.delete(inbox)
    }
  }

  around<T>(intent: Event, act: () => Promise<T>): Promise<T> {
    return actAround(this, this.#clock, intent, act)
  }

  /**
   * Resolves when everything that was committed before the call is under a
   * checkpoint, whatever comes meanwhile.
   * @throws StoreError when that takes longer than a commit may: another instance is at work and makes no
   * progress
   */
  async #settle(): Promise<void> {
    const end = this.#clock.monotonic() + this.#parts.commitTimeout
    await this.#inserted()
    const seen = await this.#database.query<{ last: string }>(
      'SELECT coalesce(max(id), 0)::text AS last FROM audit_inbox',
    )
    let goal: string | null = null
    for (;;) {
      await this.sequence()
      const state = await this.#progress(seen.rows[0]?.last ?? '0', goal)
      if (state?.waits === false && !state.behind) return
      if (state?.waits === false) goal ??= state.size
      if (this.#trouble !== undefined) throw this.#error(`cannot publish: ${this.#trouble}`, true)
      if (this.#clock.monotonic() > end)
        throw this.#error(
          'cannot publish: another instance has begun to number entries and does not end',
          true,
        )
      await new Promise<void>(resolve => setTimeout(resolve, this.#sequencer.wasHeld ? LOOK_AGAIN_MS : 0))
    }
  }

  async #progress(last: string, goal: string | null): Promise<Progress | undefined> {
    const { rows } = await this.#database.query<Progress>(
      `SELECT EXISTS (SELECT FROM audit_inbox WHERE id <= $1::bigint) AS waits,
              checkpoint_size < coalesce($2::bigint, size) AS behind, size::text FROM audit_state`,
      [last, goal],
    )
    return rows[0]
  }

  async checkpoint(): Promise<string> {
    await this.#settle()
    return await this.reader.checkpoint()
  }

  async proof(index: bigint): Promise<string> {
    await this.#settle()
    return await this.reader.proof(index)
  }

  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    await this.#settle()
    yield* this.reader.query(query)
  }

  async eraseSubject(id: string, { tenant = '' }: { readonly tenant?: string } = {}): Promise<LeafReceipt> {
    await this.#settle()
    const name = searchToken(this.#parts.searchKey, 'subject', subjectName({ tenant, principal: id }))
    const { rows } = await this.#database.query<{ id: string }>(
      'SELECT id FROM audit_subjects WHERE name = $1',
      [name],
    )
    const key = rows[0]?.id
    if (key === undefined) throw this.#error('has nothing sealed for this subject', false)
    const erasure: Erasure = { key, tenant, time: this.#clock.now() }
    return await this.#wait('erasure', JSON.stringify(erasure))
  }

  counts(): AuditCounts {
    return {
      durable: this.#size,
      published: this.#size,
      waiting: this.#queue.length + this.#unnumbered.size,
      lost: this.#lost,
      coalesced: this.#floods.coalesced,
    }
  }

  health(): Health {
    const detail = [this.#trouble, this.#lost > 0 ? `${this.#lost} events were lost` : undefined]
      .filter(part => part !== undefined)
      .join('; ')
    return {
      name: 'audit',
      ok: this.#trouble === undefined,
      required: this.#parts.required,
      ...(detail !== '' && { detail }),
    }
  }

  async close(): Promise<void> {
    this.#floods.flush()
    // One more attempt for what waits; then it is lost.
    this.#isClosing = true
    this.#endPause?.()
    await this.#inserting
    await this.#settle().catch(() => {})
    this.#isClosed = true
    clearInterval(this.#timer)
    clearTimeout(this.#lookingAgain)
    await this.#sequencing
    await this.#parts.publisher.settled()
    for (const { waiter } of this.#unnumbered.values()) waiter.reject(this.#error('is closed', false))
    this.#unnumbered.clear()
  }
}
