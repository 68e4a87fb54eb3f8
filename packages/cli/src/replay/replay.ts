import { statSync } from 'node:fs'
import { AccessLogReader, type LogRecord } from '@postern/access-log'
import { ConfigError, type RequestSource, VirtualClock } from '@postern/core'
import type { ReplayEngine } from '@postern/runtime'
import { logLines } from './log-lines.ts'
import { openText, STANDARD_INPUT } from './open-text.ts'
import { DifferenceCount, type ReplayDifference } from './replay-difference.ts'
import { type ReplayReport, ReplayRun } from './replay-run.ts'
import { ReplayedRequests } from './replayed-request.ts'

export interface ReplayOptions {
  readonly files: readonly string[]
  readonly engine: ReplayEngine
  /** A second configuration to compare with. */
  readonly against?: ReplayEngine
  /** Receives the number of bytes read so far. */
  readonly onProgress?: (bytes: number) => void
  readonly signal?: AbortSignal
  /** Most actors and routes of a report. */
  readonly top?: number
}

export interface ReplaySummary {
  readonly lines: number
  /** Lines that are not access log entries. */
  readonly malformed: number
  /** The first of them. */
  readonly malformedExamples: readonly { readonly place: string; readonly text: string }[]
  /** Epoch milliseconds of the earliest and the latest line, wherever they stand. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly report: ReplayReport
  readonly against: { readonly report: ReplayReport; readonly difference: ReplayDifference } | undefined
}

const MAX_EXAMPLES = 5

/**
 * Reads access logs as a stream and says what one or two configurations would have done, on the log's own
 * time. Bodies and most headers are not in a log, so rules over those stay silent.
 * @throws ConfigError when a file cannot be read
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const state = new ReplayState(options)
  for (const file of options.files) {
    let number = 0
    const log = new AccessLogReader()
    for await (const { lines, bytes } of logLines(openText(file))) {
      for (const line of lines) {
        number++
        const read = log.read(line)
        if (read === 'nothing') continue
        const pending = state.take(read, line, file, number)
        if (pending !== undefined) await pending
      }
      options.onProgress?.(bytes)
      if (options.signal?.aborted === true) return state.summary()
    }
  }
  return state.summary()
}

/**
 * Sizes of the files together in bytes, for a progress bar.
 * @param kind what the files are, for the hint
 * @throws ConfigError for a file that is not there
 */
export function totalBytes(files: readonly string[], kind = 'an access log'): number {
  return files.reduce((sum, file) => {
    if (file === STANDARD_INPUT) return sum
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat === undefined || stat.isDirectory())
      throw new ConfigError({
        place: file,
        problem: stat === undefined ? 'there is no such file' : 'is a folder',
        hint: `pass the path of ${kind}, or - for standard input`,
      })
    return sum + stat.size
  }, 0)
}

class ReplayState {
  readonly #options: ReplayOptions
  readonly #examples: { place: string; text: string }[] = []
  readonly #difference = new DifferenceCount()
  readonly #requests = new ReplayedRequests()
  #first: ReplayRun | undefined
  #second: ReplayRun | undefined
  #lines = 0
  #malformed = 0
  #from: number | undefined
  #to: number | undefined

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** Synchronous for nearly every line; a promise only where a guard answered later. */
  take(record: LogRecord | undefined, line: string, file: string, number: number): Promise<void> | undefined {
    this.#lines++
    const request = record === undefined ? undefined : this.#requests.of(record)
    if (record === undefined || request === undefined) {
      this.#malformed++
      if (this.#examples.length < MAX_EXAMPLES)
        this.#examples.push({ place: `${file}:${number}`, text: line.slice(0, 160) })
      return undefined
    }
    // Logs of several servers and of slow requests are not in order.
    this.#from = Math.min(this.#from ?? record.time, record.time)
    this.#to = Math.max(this.#to ?? record.time, record.time)
    if (this.#first === undefined) return this.#begin(record, request)
    return this.#decide(this.#first, record, request)
  }

  /** Engines are made with the first line, so that their clocks start there. */
  async #begin(record: LogRecord, request: RequestSource): Promise<void> {
    const { engine, against } = this.#options
    this.#first = await startRun(engine, record.time)
    this.#second = against === undefined ? undefined : await startRun(against, record.time)
    await this.#decide(this.#first, record, request)
  }

  #decide(first: ReplayRun, record: LogRecord, request: RequestSource): Promise<void> | undefined {
    const before = first.take(record, request)
    const after = this.#second?.take(record, request)
    if (!(before instanceof Promise) && !(after instanceof Promise)) {
      if (this.#second !== undefined) this.#difference.add(record, before, after)
      return undefined
    }
    return Promise.all([before, after]).then(([one, two]) => {
      if (this.#second !== undefined) this.#difference.add(record, one, two)
    })
  }

  summary(): ReplaySummary {
    const top = this.#options.top ?? 10
    return {
      lines: this.#lines,
      malformed: this.#malformed,
      malformedExamples: this.#examples,
      from: this.#from,
      to: this.#to,
      report: this.#first?.report(top) ?? EMPTY,
      against:
        this.#second === undefined
          ? undefined
          : { report: this.#second.report(top), difference: this.#difference.report() },
    }
  }
}

const EMPTY: ReplayReport = {
  requests: 0,
  allowed: 0,
  blocked: 0,
  throttled: 0,
  challenged: 0,
  rules: [],
  actors: [],
  routes: [],
  findings: [],
}

async function startRun(engine: ReplayEngine, time: number): Promise<ReplayRun> {
  const clock = new VirtualClock(time)
  return new ReplayRun(await engine(clock), clock)
}
