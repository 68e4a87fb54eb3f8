import { Worker } from 'node:worker_threads'
import type { PreviewJob, PreviewState } from '@postern/console'
import type { Clock } from '@postern/core'
import type { FromPreview, PreviewPlan } from './preview-plan.ts'

/** Runs previews in a thread, one at a time. */
export class PreviewInThread implements PreviewJob {
  readonly #plan: () => Omit<PreviewPlan, 'text' | 'from'>
  readonly #clock: Clock
  #worker: Worker | undefined
  #state: PreviewState = { state: 'none' }

  /** @param plan of the configuration in force when a preview starts */
  constructor(plan: () => Omit<PreviewPlan, 'text' | 'from'>, clock: Clock) {
    this.#plan = plan
    this.#clock = clock
  }

  start(text: string, from: number): void {
    this.cancel()
    const entry = new URL(
      `./preview-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
      import.meta.url,
    )
    const workerData: PreviewPlan = { ...this.#plan(), text, from }
    const worker = new Worker(entry, { workerData })
    const started = this.#clock.monotonic()
    this.#worker = worker
    this.#state = { state: 'running', done: 0, total: 0 }
    const take = (state: PreviewState): void => {
      if (this.#worker === worker) this.#state = state
    }
    worker.on('message', (message: FromPreview) => {
      if (message.kind === 'progress') take({ state: 'running', done: message.done, total: message.total })
      else if (message.kind === 'failed') take({ state: 'failed', problem: message.problem })
      else take({ state: 'done', result: message.result, milliseconds: this.#clock.monotonic() - started })
    })
    worker.once('error', error => take({ state: 'failed', problem: error.message }))
    worker.unref()
  }

  state(): PreviewState {
    return this.#state
  }

  cancel(): void {
    void this.#worker?.terminate()
    this.#worker = undefined
    if (this.#state.state === 'running') this.#state = { state: 'none' }
  }
}
