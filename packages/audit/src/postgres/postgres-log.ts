import { randomUUID } from 'node:crypto'
import {
  type Clock,
  type Duration,
  type Event,
  type Health,
  IntegrityError,
  parseDuration,
  type RandomSource,
  type Receipt,
  StoreError,
  systemClock,
  systemRandom,
} from '@postern/core'
import { migrate, type PostgresDatabase, type SqlClient } from '@postern/store'
import type { AuditCounts, AuditLog } from '../audit-log.ts'
import type { AuditQuery } from '../audit-query.ts'
import type { Erasure } from '../compose-leaf.ts'
import { type Entry, subjectName } from '../entry.ts'
import { eventText } from '../event-text.ts'
import { FloodCounter } from '../flood.ts'
import { openCheckpoint, signCheckpoint } from '../format/checkpoint.ts'
import { EMPTY_ROOT } from '../format/merkle-tree.ts'
import { parseSignerKey, parseVerifierKey } from '../format/note-key.ts'
import { actAround } from '../promises.ts'
import { INSERT_INBOX, POSTGRES_MIGRATIONS } from './audit.sql.ts'
import { PostgresReader } from './postgres-reader.ts'
import { searchToken } from './postgres-subjects.ts'
import { Sequencer } from './sequencer.ts'

export interface PostgresAuditLogOptions {
  readonly database: PostgresDatabase
  /** Unique name of the log, for ever. */
  readonly origin: string
  /** The same on every instance: `PRIVATE+KEY+...`, the current one first. Secrets. */
  readonly signerKeys: readonly string[]
  readonly clock?: Clock
  readonly random?: RandomSource
  /** How often the inbox is looked at for rows that other transactions left there. Default 200ms. */
  readonly pollInterval?: Duration
  /** After which a `commit` without a number fails. Default 10s. */
  readonly commitTimeout?: Duration
  /** Events that may wait with the promise `after`. Default 16,384. */
  readonly maxWaiting?: number
  /** Default true. */
  readonly required?: boolean
}

/** The log in PostgreSQL: also takes events inside the caller's own transaction. */
export interface PostgresAuditLog extends AuditLog {
  /**
   * The promise `with`: the event is entered if and only if the caller's transaction commits.
   * @param tx a client inside a transaction on the log's own database
   */
  appendIn(tx: Pick<SqlClient, 'query'>, event: Event): Promise<void>
}

/** Opens the log in a database; any number of instances may have it open, one at a time sequences. */
export async function openPostgresAuditLog(options: PostgresAuditLogOptions): Promise<PostgresAuditLog> {
  const { database, origin, random = systemRandom } = options
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  const signers = options.signerKeys.map((key, i) => parseSignerKey(key, `audit.signerKeys[${i}]`))
  const first = signCheckpoint({ origin, size: 0n, root: EMPTY_ROOT }, signers)
  const keys = signers.map(signer => signer.verifierKey)
  await database.query(
    `INSERT INTO audit_state VALUES (1, $1, 0, 0, '', 0, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
    [origin, first, Buffer.from(random.bytes(32)), keys.join('\n')],
  )
  const { rows } = await database.query<{ origin: string; search_key: Buffer; checkpoint: string }>(
    'SELECT origin, search_key, checkpoint FROM audit_state',
  )
  const state = rows[0]
  if (state === undefined || state.origin !== origin)
    throw new IntegrityError(`the database holds the log "${state?.origin ?? ''}", not "${origin}"`)
  openCheckpoint(
    state.checkpoint,
    keys.map(key => parseVerifierKey(key)),
    origin,
  )
  const sequencer = new Sequencer({
    database,
    origin,
    signers,
    random,
    holder: randomUUID(),
    searchKey: state.search_key,
  })
  return new DatabaseLog(options, sequencer, state.search_key)
}

interface Waiter {
  resolve(receipt: Receipt): void
  reject(error: Error): void
}

interface Handed {
  readonly kind: 'event' | 'erasure'
  readonly text: string
  readonly waiter: Waiter | undefined
}

/** Whether rows of before still wait, and whether the checkpoint is behind. */
interface Progress {
  readonly waits: boolean
  readonly behind: boolean
  readonly size: string
}

const GROUP = 1_000

class DatabaseLog implements PostgresAuditLog {
  readonly #options: PostgresAuditLogOptions
  readonly #database: PostgresDatabase
  readonly #sequencer: Sequencer
  readonly #searchKey: Uint8Array
  readonly #reader: PostgresReader
  readonly #clock: Clock
  readonly #floods: FloodCounter
  readonly #commitTimeout: number
  /** Rows this instance put into the inbox, until their number is known. */
  readonly #unnumbered = new Map<string, { readonly waiter: Waiter; readonly since: number }>()
  #queue: Handed[] = []
  #inserting: Promise<void> | undefined = undefined
  #sequencing: Promise<void> | undefined = undefined
  #again = false
  #lost = 0
  #lostReported = 0
  #size = 0
  #trouble: string | undefined = undefined
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  constructor(options: PostgresAuditLogOptions, sequencer: Sequencer, searchKey: Uint8Array) {
    this.#options = options
    this.#database = options.database
    this.#sequencer = sequencer
    this.#searchKey = searchKey
    this.#reader = new PostgresReader(options.database, options.origin, searchKey)
    this.#clock = options.clock ?? systemClock
    this.#commitTimeout = parseDuration(options.commitTimeout ?? '10s', 'audit.commitTimeout')
    this.#floods = new FloodCounter({ clock: this.#clock, emit: event => this.#enqueue(event) })
    this.#timer = setInterval(
      () => this.#tick(),
      parseDuration(options.pollInterval ?? '200ms', 'audit.pollInterval'),
    )
    this.#timer.unref()
  }

  record(event: Event): void {
    if (this.#floods.admits(event)) this.#enqueue(event)
  }

  #enqueue(event: Event): void {
    if (this.#queue.length >= (this.#options.maxWaiting ?? 16_384) || this.#isClosed) {
      this.#lost++
      return
    }
    try {
      this.#hand({ kind: 'event', text: eventText(event), waiter: undefined })
    } catch {
      this.#lost++
    }
  }

  commit(event: Event): Promise<Receipt> {
    return this.#wait('event', eventText(event))
  }

  append(event: Event): Promise<Receipt> {
    return this.commit(event)
  }

  #wait(kind: 'event' | 'erasure', text: string): Promise<Receipt> {
    if (this.#isClosed) return Promise.reject(this.#error('is closed', false))
    if (this.#queue.length >= (this.#options.maxWaiting ?? 16_384) * 4)
      return Promise.reject(this.#error(`${this.#queue.length} events wait to become durable`, true))
    return new Promise((resolve, reject) => this.#hand({ kind, text, waiter: { resolve, reject } }))
  }

  #hand(handed: Handed): void {
    this.#queue.push(handed)
    this.#inserting ??= this.#insert().finally(() => {
      this.#inserting = undefined
    })
  }

  #error(message: string, retryable: boolean): StoreError {
    return new StoreError(message, { store: 'audit log in postgres', retryable })
  }

  /** Everything that waits goes into the inbox in one statement, then the next. */
  async #insert(): Promise<void> {
    await Promise.resolve()
    while (this.#queue.length > 0) {
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
        this.#reportLoss()
      } catch (error) {
        this.#failed(group, error)
      }
      void this.sequence()
    }
  }

  #failed(group: readonly Handed[], cause: unknown): void {
    const error = cause instanceof StoreError ? cause : this.#error('could not write', true)
    this.#trouble = error.message
    for (const { waiter } of group) {
      if (waiter === undefined) this.#lost++
      else waiter.reject(error)
    }
  }

  #reportLoss(): void {
    const count = this.#lost - this.#lostReported
    if (count === 0) return
    this.#lostReported = this.#lost
    this.#enqueue({ type: 'audit.lost', time: this.#clock.now(), actor: {}, data: { count } })
  }

  async appendIn(tx: Pick<SqlClient, 'query'>, event: Event): Promise<void> {
    await tx.query(`INSERT INTO audit_inbox (kind, event) VALUES ('event', $1)`, [eventText(event)])
  }

  #tick(): void {
    this.#floods.tick()
    void this.sequence()
    const late = this.#clock.monotonic() - this.#commitTimeout
    for (const [id, { waiter, since }] of this.#unnumbered) {
      if (since > late) continue
      this.#unnumbered.delete(id)
      waiter.reject(this.#error('the event is stored, but no instance numbers entries', true))
    }
  }

  /** Sequences until the inbox is empty; calls that come meanwhile are one more round. */
  sequence(): Promise<void> {
    this.#again = true
    this.#sequencing ??= this.#sequenceAll().finally(() => {
      this.#sequencing = undefined
    })
    return this.#sequencing
  }

  async #sequenceAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        const done = await this.#sequencer.step()
        for (const { inbox, index, leafHash } of done) {
          this.#unnumbered.get(inbox)?.waiter.resolve({ index: BigInt(index), leafHash })
          this.#unnumbered.delete(inbox)
          this.#size = index + 1
        }
        if (done.length > 0) this.#again = true
        else if (this.#unnumbered.size > 0) await this.#askNumbers()
        this.#trouble = undefined
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message : 'failed'
      }
    }
  }

  /** Another instance may have numbered our rows. */
  async #askNumbers(): Promise<void> {
    const { rows } = await this.#database.query<{ inbox: string; idx: string }>(
      'SELECT inbox::text, idx::text FROM audit_entries WHERE inbox = ANY($1::bigint[])',
      [[...this.#unnumbered.keys()]],
    )
    for (const { inbox, idx } of rows) {
      this.#unnumbered.get(inbox)?.waiter.resolve({ index: BigInt(idx) })
      this.#unnumbered.delete(inbox)
    }
  }

  around<T>(intent: Event, act: () => Promise<T>): Promise<T> {
    return actAround(this, this.#clock, intent, act)
  }

  /** Resolves when everything that was committed before the call is under a checkpoint, whatever comes meanwhile. */
  async #settle(): Promise<void> {
    await this.#inserting
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
      await new Promise<void>(resolve => setImmediate(resolve))
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
    return (await this.#reader.head()).checkpoint
  }

  async proof(index: bigint): Promise<string> {
    await this.#settle()
    return await this.#reader.proof(index)
  }

  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    await this.#settle()
    yield* this.#reader.query(query)
  }

  async eraseSubject(id: string, { tenant = '' }: { readonly tenant?: string } = {}): Promise<Receipt> {
    await this.#settle()
    const name = searchToken(this.#searchKey, 'subject', subjectName({ tenant, principal: id }))
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
      required: this.#options.required ?? true,
      ...(detail !== '' && { detail }),
    }
  }

  async close(): Promise<void> {
    this.#floods.flush()
    await this.#inserting
    await this.#settle().catch(() => {})
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#sequencing
    for (const { waiter } of this.#unnumbered.values()) waiter.reject(this.#error('is closed', false))
    this.#unnumbered.clear()
  }
}
