import {
  type Clock,
  type Event,
  type Health,
  HttpEvent,
  OpenedLater,
  type Receipt,
  StoreError,
  systemClock,
  type Timers,
} from '@postern/core'
import type { Entry } from '../entry/entry.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import type { AuditCounts, AuditLog, LeafReceipt } from './audit-log.ts'

/** How a log is opened later, and how many events wait for it. */
export interface LaterLogOptions<Log extends AuditLog> {
  readonly open: () => Promise<Log>
  /** The store is away at the start: called once. */
  readonly onAway?: (error: StoreError) => void
  /** The log is open after all, and has what waited for it. */
  readonly onBack?: (log: Log) => void
  /** Most events that wait. Default 16,384; further ones are lost and counted. */
  readonly maxWaiting?: number
  /** Whether the process is not ready meanwhile. Default true. */
  readonly required?: boolean
  readonly timers?: Timers
  readonly clock?: Clock
}

/**
 * A log whose store may be away when the process starts. Until it is there events in durability mode `after`
 * wait in memory, bounded and counted, and everything that must be durable rejects with a `StoreError`: an
 * act that has to be logged first does not run.
 */
export class LaterLog<Log extends AuditLog> implements AuditLog {
  readonly #maxWaiting: number
  readonly #required: boolean
  readonly #clock: Clock
  #opened: OpenedLater<Log> | undefined = undefined
  #waiting: Event[] = []
  #lost = 0

  private constructor({ maxWaiting = 16_384, required = true, clock = systemClock }: LaterLogOptions<Log>) {
    this.#maxWaiting = maxWaiting
    this.#required = required
    this.#clock = clock
  }

  /** @throws as `open`, but for a store that does not answer and may come back */
  static async start<Log extends AuditLog>(options: LaterLogOptions<Log>): Promise<LaterLog<Log>> {
    const later = new LaterLog<Log>(options)
    later.#opened = await OpenedLater.start(
      options.open,
      {
        away: error => options.onAway?.(error),
        back: log => {
          later.#handOver(log)
          options.onBack?.(log)
        },
        failed: () => undefined,
      },
      options.timers,
    )
    return later
  }

  #handOver(log: Log): void {
    for (const event of this.#waiting.splice(0)) log.record(event)
    if (this.#lost === 0) return
    const data = { count: this.#lost }
    log.record({ type: 'audit.lost', time: this.#clock.now(), actor: {}, data })
  }

  /** The log. @throws StoreError while its store is away; IntegrityError when it cannot be trusted */
  get(): Log {
    if (this.#opened === undefined)
      throw new StoreError('is being opened', { store: 'audit log', retryable: true })
    return this.#opened.get()
  }

  get #current(): Log | undefined {
    return this.#opened?.current
  }

  record(event: Event): void {
    const log = this.#current
    if (log !== undefined) log.record(event)
    // The plain form: what waits must not keep the request with its body and its connection.
    else if (this.#waiting.length < this.#maxWaiting)
      this.#waiting.push(event instanceof HttpEvent ? event.toJSON() : event)
    else this.#lost++
  }

  async commit(event: Event): Promise<Receipt> {
    return this.get().commit(event)
  }

  async append(event: Event): Promise<LeafReceipt> {
    return this.get().append(event)
  }

  async around<T>(intent: Event, act: () => Promise<T>): Promise<T> {
    return this.get().around(intent, act)
  }

  async proof(index: bigint): Promise<string> {
    return this.get().proof(index)
  }

  async *query(query: AuditQuery): AsyncIterable<Entry> {
    yield* this.get().query(query)
  }

  async eraseSubject(id: string, options?: { readonly tenant?: string }): Promise<LeafReceipt> {
    return this.get().eraseSubject(id, options)
  }

  async checkpoint(): Promise<string> {
    return this.get().checkpoint()
  }

  counts(): AuditCounts {
    return (
      this.#current?.counts() ?? {
        durable: 0,
        published: 0,
        waiting: this.#waiting.length,
        lost: this.#lost,
        coalesced: 0,
      }
    )
  }

  health(): Health {
    const log = this.#current
    if (log !== undefined) return log.health()
    const events = `${this.#waiting.length} events wait for it, ${this.#lost} lost`
    return {
      name: 'audit',
      ok: false,
      required: this.#required,
      detail: `not open yet (${this.#opened?.problem}); ${events}`,
    }
  }

  async close(): Promise<void> {
    await (await this.#opened?.stop())?.close()
  }
}
