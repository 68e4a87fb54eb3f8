import { type Clock, type Duration, type Event, type Health, parseDuration } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import type { Erasure } from '../entry/compose-leaf.ts'
import { type Entry, subjectName } from '../entry/entry.ts'
import { eventText } from '../entry/event-text.ts'
import { leafHash } from '../format/merkle-tree.ts'
import type { AuditCounts, AuditLog, LeafReceipt } from '../log/audit-log.ts'
import type { Cursor } from '../log/cursor.ts'
import { FloodCounter } from '../log/flood.ts'
import { actAround } from '../log/promises.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import type { LogReader } from '../reader/log-reader.ts'
import type { CheckpointPublisher } from '../witness/checkpoint-publisher.ts'
import { FORGET_DAYS } from './audit.sql.ts'
import { HeldCursor } from './held-cursor.ts'
import { InboxWriter, inboxError, requireStored, type Waiter } from './inbox-writer.ts'
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
   * @throws StoreError when the inbox takes the event and does not keep it
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
  /** The inbox, with its schema, as SQL. */
  readonly inbox: string
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

/** Whether earlier rows still wait, and whether the checkpoint is behind. */
interface Progress {
  readonly waits: boolean
  readonly behind: boolean
  readonly size: string
}

/** How often anchors and witnesses are sent checkpoints that another instance may have signed. */
const TELL_MS = 1_000
const HOLD: Duration = '30s'
/** Pauses before looking again for the numbers of rows that callers wait for. */
const LOOK_AGAIN_MS = 25
const LAST_LOOK_MS = 500
const NO_PROGRESS = 'another instance has begun to number entries and does not end'

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
  readonly #inbox: InboxWriter
  #sequencing: Promise<void> | undefined = undefined
  #again = false
  #size = 0
  /** Why the inbox takes nothing, and why nothing leaves it: one going well says nothing of the other. */
  #inboxTrouble: string | undefined = undefined
  #trouble: string | undefined = undefined
  #lookingAgain: NodeJS.Timeout | undefined = undefined
  #lookAgainIn = LOOK_AGAIN_MS
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
    this.#inbox = new InboxWriter({
      database: parts.database,
      clock: this.#clock,
      maxWaiting: parts.maxWaiting,
      onStored: (inbox, waiter) => this.#unnumbered.set(inbox, { waiter, since: this.#clock.monotonic() }),
      onResult: problem => {
        this.#inboxTrouble = problem
      },
      onAttempt: () => void this.sequence(),
    })
    this.#floods = new FloodCounter({ clock: this.#clock, emit: event => this.#inbox.offer(event) })
    this.#timer = setInterval(() => this.#tick(), parts.pollInterval)
    this.#timer.unref()
  }

  record(event: Event): void {
    if (this.#floods.admits(event)) this.#inbox.offer(event)
  }

  async commit(event: Event): Promise<LeafReceipt> {
    return await this.#inbox.wait('event', eventText(event))
  }

  append(event: Event): Promise<LeafReceipt> {
    return this.commit(event)
  }

  cursor(name: string, options: { readonly hold?: Duration } = {}): Cursor {
    const hold = parseDuration(options.hold ?? HOLD, 'audit.cursor.hold')
    return new HeldCursor({ database: this.#database, name, holder: this.#parts.holder, hold })
  }

  async appendIn(tx: Pick<SqlClient, 'query'>, event: Event): Promise<void> {
    const text = `INSERT INTO ${this.#parts.inbox} (event) VALUES ($1)`
    const { rowCount } = await tx.query(text, [eventText(event)])
    requireStored(rowCount, 1)
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
      waiter.reject(inboxError('the event is stored, but no instance numbers entries', true))
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
      // In the turn in which nothing was left to do: who asks next starts a new one.
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
      this.#trouble = this.#sequencer.heldFor >= this.#parts.commitTimeout ? NO_PROGRESS : undefined
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : 'failed'
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
    await this.#inbox.settled()
    const seen = await this.#database.query<{ last: string }>(
      'SELECT coalesce(max(id), 0)::text AS last FROM audit_inbox',
    )
    let goal: string | null = null
    for (;;) {
      await this.sequence()
      const state = await this.#progress(seen.rows[0]?.last ?? '0', goal)
      if (state?.waits === false && !state.behind) return
      if (state?.waits === false) goal ??= state.size
      const trouble = this.#inboxTrouble ?? this.#trouble
      if (trouble !== undefined) throw inboxError(`cannot publish: ${trouble}`, true)
      if (this.#clock.monotonic() > end) throw inboxError(`cannot publish: ${NO_PROGRESS}`, true)
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
    // What is only counted would be sealed under a new key afterwards.
    this.#floods.flush()
    await this.#settle()
    const name = searchToken(this.#parts.searchKey, 'subject', subjectName({ tenant, principal: id }))
    const { rows } = await this.#database.query<{ id: string }>(
      'SELECT id FROM audit_subjects WHERE name = $1',
      [name],
    )
    const key = rows[0]?.id
    if (key === undefined) throw inboxError('has nothing sealed for this subject', false)
    const erasure: Erasure = { key, tenant, time: this.#clock.now() }
    return await this.#inbox.wait('erasure', JSON.stringify(erasure))
  }

  counts(): AuditCounts {
    return {
      durable: this.#size,
      published: this.#size,
      waiting: this.#inbox.waiting + this.#unnumbered.size,
      lost: this.#inbox.lost,
      coalesced: this.#floods.coalesced,
    }
  }

  health(): Health {
    const { lost } = this.#inbox
    const detail = [this.#inboxTrouble, this.#trouble, lost > 0 ? `${lost} events were lost` : undefined]
      .filter(part => part !== undefined)
      .join('; ')
    return {
      name: 'audit',
      ok: this.#inboxTrouble === undefined && this.#trouble === undefined,
      required: this.#parts.required,
      ...(detail !== '' && { detail }),
    }
  }

  async close(): Promise<void> {
    this.#floods.flush()
    // One more attempt for what waits; then it is lost.
    await this.#inbox.finish()
    await this.#settle().catch(() => {})
    this.#isClosed = true
    this.#inbox.close()
    clearInterval(this.#timer)
    clearTimeout(this.#lookingAgain)
    await this.#sequencing
    await this.#parts.publisher.settled()
    for (const { waiter } of this.#unnumbered.values()) waiter.reject(inboxError('is closed', false))
    this.#unnumbered.clear()
  }
}
