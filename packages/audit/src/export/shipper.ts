import { type Duration, type Health, type HealthProbe, parseDuration } from '@postern/core'
import type { Entry } from '../entry/entry.ts'
import type { Cursor } from '../log/cursor.ts'
import type { LogReader } from '../reader/log-reader.ts'
import { ReceiverBusy } from './receiver-busy.ts'
import type { Sink } from './sink.ts'

/** The log and the sink of a shipper, and where it remembers its position. */
export interface ShipperOptions {
  readonly reader: LogReader
  readonly sink: Sink
  /**
   * Stores the position: the first entry that was not sent. When the instances of a
   * log share it, one of them sends.
   */
  readonly cursor: Cursor
  /**
   * Stores where the batch ends that is being sent, so that it is the same batch again after a
   * restart, or on another instance. Without it that holds only while this process runs.
   */
  readonly intent?: Cursor
  /** Entries per batch. Default 500. */
  readonly batch?: number
  /** Interval between checks for new entries. Default 1s. */
  readonly interval?: Duration
  /**
   * Time after which a batch counts as failed. Default 10s. A receiver that needs longer gets twice the
   * time for each attempt, up to five minutes, and smaller batches afterwards.
   */
  readonly timeout?: Duration
}

const MAX_PAUSE = 60_000
/** The longest that an attempt may take, unless the configured time is longer. */
const MAX_PATIENCE = 300_000

/**
 * Sends a log's entries to a sink, each at least once and in order, from where it stopped. It
 * reads the log like any other reader: a sink that hangs or is full delays nothing else,
 * loses nothing, and is named in `health`. A receiver that asks for a pause gets it.
 */
export class Shipper implements HealthProbe {
  readonly #options: ShipperOptions
  readonly #interval: number
  readonly #timeout: number
  /** Time that the next attempt has. */
  #patience: number
  /** Attempts under way end when it is closed. */
  readonly #closing = new AbortController()
  #next = 0n
  #size = 0n
  /**
   * Entries of the next batch: fewer after the receiver rejected one as too large,
   * more again after each that it accepted.
   */
  #batch: number
  /**
   * Where the batch ended that did not arrive: it is resent unchanged, so that its
   * receiver can distinguish it from a new one.
   */
  #retryTo: bigint | undefined = undefined
  #failures = 0
  /** Milliseconds that the receiver asked for. */
  #asked = 0
  #trouble: string | undefined = undefined
  /** Why entries are sent under numbers that were sent before. */
  #restored: string | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #running: Promise<void> | undefined = undefined
  #isClosed = false

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#batch = options.batch ?? 500
    this.#interval = parseDuration(options.interval ?? '1s', 'sink.interval')
    this.#timeout = parseDuration(options.timeout ?? '10s', 'sink.timeout')
    this.#patience = this.#timeout
  }

  /** Name of the sink. */
  get name(): string {
    return this.#options.sink.name
  }

  /** The first entry that was not sent, as far as this process knows. */
  get next(): bigint {
    return this.#next
  }

  /** Published entries that wait to be sent, as far as this process knows. */
  get behind(): number {
    return Number(this.#size > this.#next ? this.#size - this.#next : 0n)
  }

  /** Sends periodically until closed. */
  start(): void {
    if (this.#isClosed) return
    const pause = Math.max(
      this.#asked,
      Math.min(MAX_PAUSE, this.#interval * 2 ** Math.min(this.#failures, 10)),
    )
    this.#timer = setTimeout(() => {
      void this.ship().finally(() => this.start())
    }, pause)
    this.#timer.unref()
  }

  /**
   * Looks whether the log is the one that entries were sent of: before it grows, for later a restored log may
   * have as many entries again, others under numbers that were sent before.
   */
  async begin(): Promise<void> {
    const { reader, cursor } = this.#options
    try {
      const next = await cursor.take()
      const { size } = await reader.head()
      if (next !== undefined && next > size) await this.#goBack(next, size)
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  /** Sends all remaining entries; stops at the first failure, which `health` reports. Never rejects. */
  ship(): Promise<void> {
    this.#running ??= this.#shipAll().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #shipAll(): Promise<void> {
    this.#asked = 0
    try {
      while (await this.#shipSome());
      this.#failures = 0
      this.#trouble = undefined
    } catch (error) {
      this.#failures++
      if (error instanceof ReceiverBusy) this.#asked = error.pause
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  /** Sends one batch. @returns whether there may be more to send here */
  async #shipSome(): Promise<boolean> {
    const { reader, cursor } = this.#options
    const next = await cursor.take()
    if (next === undefined) return false
    this.#next = next
    const { size } = await reader.head()
    this.#size = size
    if (next > size) return await this.#goBack(next, size)
    if (!(await this.#recall(next))) return false
    const entries: Entry[] = []
    for await (const entry of reader.entries(next, this.#endOf(next))) entries.push(entry)
    const last = entries.at(-1)
    if (last === undefined) {
      const minimum = BigInt(await reader.minimumIndex())
      if (next >= minimum) return false
      this.#next = minimum
      return await cursor.advance(minimum)
    }
    if (!(await this.#intend(last.index + 1n))) return false
    if ((await this.#send(entries)) === 'too-large') return await this.#sendLess(entries)
    this.#retryTo = undefined
    if (this.#patience === this.#timeout) this.#batch = Math.min(this.#options.batch ?? 500, this.#batch * 2)
    this.#next = last.index + 1n
    return await cursor.advance(this.#next)
  }

  /** Learns where a batch ended that another process tried. @returns whether this one may send */
  async #recall(next: bigint): Promise<boolean> {
    const { intent } = this.#options
    if (intent === undefined || this.#retryTo !== undefined) return true
    const end = await intent.take()
    if (end === undefined) return false
    if (end > next) this.#retryTo = end
    return true
  }

  /** Remembers where the batch ends that is sent next. @returns whether this process may still send */
  async #intend(end: bigint): Promise<boolean> {
    const isKnown = this.#retryTo === end
    this.#retryTo = end
    return isKnown || this.#options.intent === undefined || (await this.#options.intent.advance(end))
  }

  #endOf(next: bigint): bigint {
    return this.#retryTo !== undefined && this.#retryTo > next ? this.#retryTo : next + BigInt(this.#batch)
  }

  /**
   * The first half is another batch, and is remembered as such: what the intent said of the whole would
   * bring that back, again and again. @returns whether this process may still send
   */
  #sendLess([first, ...more]: readonly Entry[]): Promise<boolean> {
    if (first === undefined || more.length === 0)
      throw new Error('refuses this one entry as too large; raise its limit')
    this.#batch = Math.ceil((more.length + 1) / 2)
    return this.#intend(first.index + BigInt(this.#batch))
  }

  /**
   * The log has fewer entries than were sent: it was restored from a backup. What it enters from now on is
   * sent, under numbers that were sent before.
   */
  async #goBack(next: bigint, size: bigint): Promise<boolean> {
    this.#restored = `${next} entries were sent of a log that has ${size}: it was restored, and is sent again from entry ${size} on`
    this.#retryTo = undefined
    this.#next = size
    return await this.#options.cursor.advance(size)
  }

  async #send(entries: readonly Entry[]): Promise<'taken' | 'too-large'> {
    this.#closing.signal.throwIfAborted()
    const patience = this.#patience
    const expired = AbortSignal.timeout(patience)
    const signal = AbortSignal.any([expired, this.#closing.signal])
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`does not answer within ${patience} ms`)), {
        once: true,
      })
    })
    const started = performance.now()
    try {
      const said = await Promise.race([this.#options.sink.send(entries, signal), late])
      // Quick again: back to the configured time, step by step.
      if (performance.now() - started < patience / 4) this.#patience = Math.max(this.#timeout, patience / 2)
      return said
    } catch (error) {
      if (expired.aborted) this.#giveMoreTime(patience)
      throw error
    }
  }

  /**
   * The batch stays the one it is, so that its receiver can recognize it: it gets more time. Those after it
   * are smaller.
   */
  #giveMoreTime(patience: number): void {
    this.#patience = Math.max(patience, Math.min(MAX_PATIENCE, patience * 2))
    this.#batch = Math.max(1, Math.floor(this.#batch / 2))
  }

  health(): Health {
    const detail =
      this.#trouble === undefined ? this.#restored : `${this.#trouble}; waits at entry ${this.#next}`
    return {
      name: `audit sink ${this.#options.sink.name}`,
      ok: detail === undefined,
      required: false,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Stops; what was not sent is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const late = setTimeout(() => this.#closing.abort(), this.#timeout)
    await this.#running
    clearTimeout(late)
    this.#options.sink.close()
    // A store that does not answer releases the hold by itself after a while.
    await this.#options.cursor.release().catch(() => {})
    await this.#options.intent?.release().catch(() => {})
  }
}
