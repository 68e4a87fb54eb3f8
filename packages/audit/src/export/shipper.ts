import { type Duration, type Health, type HealthProbe, parseDuration } from '@postern/core'
import type { Cursor } from '../cursor.ts'
import type { Entry } from '../entry.ts'
import type { LogReader } from '../log-reader.ts'
import type { Sink } from './sink.ts'

export interface ShipperOptions {
  readonly reader: LogReader
  readonly sink: Sink
  /** Keeps how far it came: the first entry that was not sent. Shared by the instances of a log, it lets one of them send. */
  readonly cursor: Cursor
  /** Entries of one sending. Default 500. */
  readonly batch?: number
  /** How often to look for new entries. Default 1s. */
  readonly interval?: Duration
  /** After which a sending counts as failed. Default 10s. */
  readonly timeout?: Duration
}

const MAX_PAUSE = 60_000

/**
 * Sends a log's entries to a sink, each at least once and in order, from where it stopped. It reads the log like anyone else: a sink that
 * hangs or is full holds up nobody, loses nothing, and is named by `health`.
 */
export class Shipper implements HealthProbe {
  readonly #options: ShipperOptions
  readonly #interval: number
  readonly #timeout: number
  #next = 0n
  #failures = 0
  #trouble: string | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #running: Promise<void> | undefined = undefined
  #isClosed = false

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#interval = parseDuration(options.interval ?? '1s', 'sink.interval')
    this.#timeout = parseDuration(options.timeout ?? '10s', 'sink.timeout')
  }

  /** The first entry that was not sent, as far as this process knows. */
  get next(): bigint {
    return this.#next
  }

  /** Sends now and then until closed. */
  start(): void {
    if (this.#isClosed) return
    const pause = Math.min(MAX_PAUSE, this.#interval * 2 ** Math.min(this.#failures, 10))
    this.#timer = setTimeout(() => {
      void this.ship().finally(() => this.start())
    }, pause)
    this.#timer.unref()
  }

  /** Sends everything there is; stops at the first failure, which `health` tells. Never rejects. */
  ship(): Promise<void> {
    this.#running ??= this.#shipAll().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #shipAll(): Promise<void> {
    try {
      while (await this.#shipSome());
      this.#failures = 0
      this.#trouble = undefined
    } catch (error) {
      this.#failures++
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  /** Sends one batch. @returns whether there may be more to send here */
  async #shipSome(): Promise<boolean> {
    const { reader, sink, cursor, batch = 500 } = this.#options
    const next = await cursor.take()
    if (next === undefined) return false
    this.#next = next
    const entries: Entry[] = []
    for await (const entry of reader.entries(next, next + BigInt(batch))) entries.push(entry)
    const last = entries.at(-1)
    const minimum = BigInt(await reader.minimumIndex())
    if (last === undefined && next >= minimum) return false
    if (last !== undefined) await this.#send(sink, entries)
    this.#next = last === undefined ? minimum : last.index + 1n
    return await cursor.advance(this.#next)
  }

  async #send(sink: Sink, entries: readonly Entry[]): Promise<void> {
    const signal = AbortSignal.timeout(this.#timeout)
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener(
        'abort',
        () => reject(new Error(`does not answer within ${this.#timeout} ms`)),
        { once: true },
      )
    })
    await Promise.race([sink.send(entries, signal), late])
  }

  health(): Health {
    return {
      name: `audit sink ${this.#options.sink.name}`,
      ok: this.#trouble === undefined,
      required: false,
      ...(this.#trouble !== undefined && { detail: `${this.#trouble}; waits at entry ${this.#next}` }),
    }
  }

  /** Stops; what was not sent is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#running
    this.#options.sink.close()
    // A store that does not answer lets go by itself after a while.
    await this.#options.cursor.release().catch(() => {})
  }
}
