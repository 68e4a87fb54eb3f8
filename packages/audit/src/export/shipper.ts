import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Duration, type Health, type HealthProbe, parseDuration } from '@postern/core'
import type { Entry } from '../entry.ts'
import type { LogReader } from '../log-reader.ts'
import type { Sink } from './sink.ts'

export interface ShipperOptions {
  readonly reader: LogReader
  readonly sink: Sink
  /** File that keeps how far it came. */
  readonly cursor: string
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
  #next: bigint
  #failures = 0
  #trouble: string | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #running: Promise<void> | undefined = undefined
  #isClosed = false

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#interval = parseDuration(options.interval ?? '1s', 'sink.interval')
    this.#timeout = parseDuration(options.timeout ?? '10s', 'sink.timeout')
    this.#next = readCursor(options.cursor)
  }

  /** The first entry that was not sent. */
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
    const { reader, sink, batch = 500 } = this.#options
    try {
      for (;;) {
        const entries: Entry[] = []
        for (const entry of reader.entries(this.#next, this.#next + BigInt(batch))) entries.push(entry)
        const last = entries.at(-1)
        const minimum = BigInt(reader.log.minimumIndex())
        if (last === undefined && this.#next >= minimum) break
        if (last !== undefined) await this.#send(sink, entries)
        this.#next = last === undefined ? minimum : last.index + 1n
        writeCursor(this.#options.cursor, this.#next)
      }
      this.#failures = 0
      this.#trouble = undefined
    } catch (error) {
      this.#failures++
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
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
  }
}

function readCursor(path: string): bigint {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return /^\d{1,18}$/.test(text) ? BigInt(text) : 0n
  } catch {
    return 0n
  }
}

function writeCursor(path: string, next: bigint): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${next}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
