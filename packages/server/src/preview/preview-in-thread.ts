import { Worker } from 'node:worker_threads'
import type { PreviewJob, PreviewResult, PreviewState } from '@postern/console'
import type { Clock } from '@postern/core'
import { type Gathered, joinedGathered } from './gathered.ts'
import { joinedResults } from './preview-count.ts'
import type { FromPreview, PreviewPlan } from './preview-plan.ts'

/** What a preview starts from, but for what it is about. */
export type PreviewSetting = Omit<PreviewPlan, 'text' | 'from' | 'share'>

/** A configuration that keeps the threads busy indefinitely ends with this. */
const LONGEST_MS = 900_000

/** How far one thread is. */
interface Part {
  done: number
  total: number
  gathered: Gathered | undefined
  result: PreviewResult | undefined
}

/**
 * Runs previews in threads, one preview at a time. Each thread reads a part of the pages; once all have told
 * each other what they found there, each replays a part of the actors.
 */
export class PreviewInThread implements PreviewJob {
  readonly #plan: () => PreviewSetting
  readonly #clock: Clock
  readonly #threads: number
  readonly #limit: number
  #workers: readonly Worker[] = []
  #timer: NodeJS.Timeout | undefined
  #state: PreviewState = { state: 'none' }

  /**
   * @param plan of the configuration in force when a preview starts
   * @param threads 1 to 256
   * @param limit milliseconds after which one is ended
   */
  constructor(plan: () => PreviewSetting, clock: Clock, threads: number, limit: number = LONGEST_MS) {
    this.#plan = plan
    this.#clock = clock
    this.#threads = threads
    this.#limit = limit
  }

  start(text: string, from: number): void {
    this.cancel()
    const entry = new URL(
      `./preview-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
      import.meta.url,
    )
    const started = this.#clock.monotonic()
    const plan = this.#plan()
    const parts: Part[] = Array.from({ length: this.#threads }, () => ({
      done: 0,
      total: 0,
      gathered: undefined,
      result: undefined,
    }))
    const workers = parts.map((_, index) => {
      const workerData: PreviewPlan = { ...plan, text, from, share: { index, of: parts.length } }
      return new Worker(entry, { workerData })
    })
    this.#workers = workers
    this.#state = { state: 'running', done: 0, total: 0 }
    const fail = (problem: string): void => {
      if (this.#workers !== workers) return
      this.#end()
      this.#state = { state: 'failed', problem }
    }
    const minutes = Math.ceil(this.#limit / 60_000)
    this.#timer = setTimeout(
      () => fail(`took longer than ${minutes} min and was ended: choose a shorter time`),
      this.#limit,
    ).unref()
    workers.forEach((worker, index) => {
      worker.on('message', (message: FromPreview) => {
        if (message.kind === 'failed') fail(message.problem)
        else this.#take(workers, parts, { index, message, started })
      })
      worker.once('error', error => fail(error.message))
      worker.unref()
    })
  }

  #take(
    workers: readonly Worker[],
    parts: readonly Part[],
    {
      index,
      message,
      started,
    }: {
      readonly index: number
      readonly message: Exclude<FromPreview, { kind: 'failed' }>
      readonly started: number
    },
  ): void {
    const part = parts[index]
    if (this.#workers !== workers || part === undefined) return
    if (message.kind === 'progress') {
      part.done = message.done
      part.total = message.total
      const done = parts.reduce((sum, one) => sum + one.done, 0)
      const total = parts.reduce((sum, one) => sum + one.total, 0)
      this.#state = { state: 'running', done, total: Math.max(done, total) }
      return
    }
    if (message.kind === 'gathered') {
      part.gathered = message.gathered
      const gathered = parts.flatMap(one => one.gathered ?? [])
      if (gathered.length < parts.length) return
      const all = joinedGathered(gathered)
      for (const worker of workers) worker.postMessage(all)
      return
    }
    part.result = message.result
    const results = parts.flatMap(({ result }) => (result === undefined ? [] : [result]))
    if (results.length < parts.length) return
    clearTimeout(this.#timer)
    this.#state = {
      state: 'done',
      result: joinedResults(results),
      milliseconds: this.#clock.monotonic() - started,
    }
  }

  state(): PreviewState {
    return this.#state
  }

  cancel(): void {
    this.#end()
    if (this.#state.state === 'running') this.#state = { state: 'none' }
  }

  #end(): void {
    clearTimeout(this.#timer)
    for (const worker of this.#workers) void worker.terminate()
    this.#workers = []
  }
}
