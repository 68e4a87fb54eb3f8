import { type ResourceLimits, Worker } from 'node:worker_threads'
import { countedWord, type FromWorker, type ToWorker, type WorkerStart } from './worker-messages.ts'
import { Pulse } from './worker-pulse.ts'

/** How long after its grace a stopping worker is ended. */
const OVERTIME_MS = 1_000

export interface WorkerThreadOptions {
  readonly entry: URL
  readonly execArgv: readonly string[] | undefined
  readonly resourceLimits: ResourceLimits | undefined
  readonly start: WorkerStart
  /** Milliseconds without a turn of its event loop after which a thread that listens is ended. */
  readonly stuckAfter: number
  /** A message of the worker. @param reply sends to this thread */
  readonly onMessage: (data: unknown, reply: (data: unknown) => void) => void
  /** Nobody caught an error; the thread goes on until `stop`. */
  readonly onFailing: (problem: string) => void
  /**
   * The thread is gone.
   * @param cause what ended it, if it was an error
   * @param cutOff requests that were under way in it
   * @param made what it counted itself
   * @param reply the same as of its messages
   */
  readonly onEnd: (
    cause: Error | undefined,
    cutOff: number,
    made: number,
    reply: (data: unknown) => void,
  ) => void
}

/** One thread that takes requests, from its start to its end. */
export class WorkerThread {
  readonly started: number = performance.now()
  /** Resolves when it listens. @throws Error when it ended before */
  readonly listening: Promise<void>
  readonly #worker: Worker
  readonly #reloads = new Map<number, (problem: string | undefined) => void>()
  readonly #ended: Promise<void>
  #nextReload = 0
  #listens = false
  #hasListened = false

  constructor(options: WorkerThreadOptions) {
    const { entry, execArgv, resourceLimits, start } = options
    const worker = new Worker(entry, {
      workerData: start,
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      ...(resourceLimits !== undefined && { resourceLimits }),
    })
    this.#worker = worker
    const ready = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    this.listening = ready.promise
    this.#ended = ended.promise
    const reply = (data: unknown): void => this.tell({ kind: 'message', data })
    worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'ready':
          this.#listens = true
          this.#hasListened = true
          ready.resolve()
          break
        case 'message':
          options.onMessage(message.data, reply)
          break
        case 'reloaded':
          this.#settleReload(message.id, message.problem)
          break
        case 'failing':
          options.onFailing(message.problem)
      }
    })
    const { counted, index } = start.posternWorker
    let cause: Error | undefined
    const pulse = new Pulse({
      beats: countedWord(counted, 'beats'),
      stuckAfter: options.stuckAfter,
      isWatched: () => this.#listens,
      onStuck: () => {
        cause = new Error(`it was stuck for ${options.stuckAfter} ms`)
        void worker.terminate()
      },
    })
    worker.on('error', error => {
      cause = error instanceof Error ? error : new Error('a worker threw a value that is not an error')
    })
    worker.on('exit', code => {
      this.#listens = false
      for (const id of [...this.#reloads.keys()]) this.#settleReload(id, 'the worker ended')
      pulse.end()
      ready.reject(cause ?? new Error(`worker ${index} ended with ${code}`))
      const last = (word: 'underWay' | 'made'): number => Atomics.load(countedWord(counted, word), 0)
      options.onEnd(cause, last('underWay'), last('made'), reply)
      ended.resolve()
    })
  }

  /** Whether it takes requests. */
  get listens(): boolean {
    return this.#listens
  }

  /** Whether it ever did. */
  get hasListened(): boolean {
    return this.#hasListened
  }

  tell(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  /** Hands over a configuration. @returns the problem, or undefined when it was taken */
  reload(data: unknown): Promise<string | undefined> {
    const id = this.#nextReload++
    return new Promise(resolve => {
      this.#reloads.set(id, resolve)
      this.tell({ kind: 'reload', id, data })
    })
  }

  #settleReload(id: number, problem: string | undefined): void {
    const settle = this.#reloads.get(id)
    this.#reloads.delete(id)
    settle?.(problem)
  }

  /**
   * Requests under way finish; what is not done by the end of the grace, in milliseconds, is cut off.
   * Resolves when the thread is gone.
   * @param linger milliseconds for the last request of connections that are kept
   */
  async stop(grace: number, linger: number): Promise<void> {
    if (!this.#listens) {
      await this.#worker.terminate()
      return
    }
    this.tell({ kind: 'stop', grace, linger })
    const timer = setTimeout(() => void this.#worker.terminate(), grace + OVERTIME_MS)
    await this.#ended
    clearTimeout(timer)
  }
}
