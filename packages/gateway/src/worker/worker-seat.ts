import type { ResourceLimits } from 'node:worker_threads'
import { countedMemory, type ToWorker } from './worker-messages.ts'
import { WorkerThread } from './worker-thread.ts'

const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 10_000
/** A worker that lived this long starts again without having to wait longer than the first time. */
const STEADY_MS = 30_000
/** Time for the requests of a worker whose place has been taken. */
const LEAVING_GRACE_MS = 10_000
/**
 * Time for the clients that keep a connection to it to send another request, and learn from the answer that
 * it ends.
 */
const LINGER_MS = 2_000

export interface WorkerSeatOptions {
  readonly entry: URL
  readonly workerData: unknown
  readonly execArgv: readonly string[] | undefined
  readonly resourceLimits: ResourceLimits | undefined
  readonly onMessage: ((data: unknown, index: number, reply: (data: unknown) => void) => void) | undefined
  readonly onEnd: ((index: number, made: number, reply: (data: unknown) => void) => void) | undefined
  /** Milliseconds. */
  readonly stuckAfter: number
  readonly index: number
  readonly count: number
  readonly reusePort: boolean
  /** Resolves when workers may open what they need. */
  readonly begin: Promise<void>
  readonly notice: (line: string) => void
}

/**
 * The place of one worker, and whoever sits in it. A worker that failed keeps answering until its successor
 * listens, so that for a while there may be two.
 */
export class WorkerSeat {
  readonly #options: WorkerSeatOptions
  /** The one in the place, listening or starting. */
  #sitting: WorkerThread | undefined = undefined
  /** Those that failed and finish what they have. */
  readonly #leaving = new Set<WorkerThread>()
  #closing = false
  #backoff = FIRST_BACKOFF_MS
  #restart: NodeJS.Timeout | undefined = undefined
  /** The configuration that a restarted worker must begin with. */
  #reloaded: { readonly data: unknown } | undefined = undefined
  #cutOff = 0

  constructor(options: WorkerSeatOptions) {
    this.#options = options
  }

  /** Whether somebody takes requests here. */
  get live(): boolean {
    return this.#sitting?.listens === true || [...this.#leaving].some(worker => worker.listens)
  }

  /** Requests that were under way in workers of this seat when those ended. */
  get cutOff(): number {
    return this.#cutOff
  }

  /** Resolves when the worker listens. @throws Error when it ended before */
  async start(): Promise<void> {
    const { index, count, reusePort, workerData, begin, onMessage, onEnd } = this.#options
    const { entry, execArgv, resourceLimits, stuckAfter } = this.#options
    const reloaded = this.#reloaded
    const worker: WorkerThread = new WorkerThread({
      entry,
      execArgv,
      resourceLimits,
      stuckAfter,
      start: {
        posternWorker: { index, count, reusePort, reloaded, counted: countedMemory() },
        data: workerData,
      },
      onMessage: (data, reply) => onMessage?.(data, index, reply),
      onFailing: problem => this.#replace(worker, problem),
      onEnd: (cause, cutOff, made, reply) => {
        onEnd?.(index, made, reply)
        this.#ended(worker, cause, cutOff)
      },
    })
    this.#sitting = worker
    begin.then(
      () => worker.tell({ kind: 'begin' }),
      () => undefined,
    )
    await worker.listening
    // Reloaded while it was starting: it began with what was in force before.
    if (this.#reloaded !== reloaded) await worker.reload(this.#reloaded?.data)
  }

  /** A worker failed and goes on for now: another is started, and it leaves when that listens. */
  #replace(worker: WorkerThread, problem: string): void {
    if (this.#closing || this.#sitting !== worker) return
    this.#leaving.add(worker)
    this.#sitting = undefined
    this.#startAgain('failed', problem, performance.now() - worker.started)
  }

  #ended(worker: WorkerThread, cause: Error | undefined, cutOff: number): void {
    this.#cutOff += cutOff
    this.#leaving.delete(worker)
    if (this.#sitting !== worker) return
    this.#sitting = undefined
    if (!this.#closing && worker.hasListened)
      this.#startAgain('ended', cause?.message, performance.now() - worker.started, cutOff)
  }

  #startAgain(what: 'failed' | 'ended', problem: string | undefined, lived: number, cutOff = 0): void {
    if (lived >= STEADY_MS) this.#backoff = FIRST_BACKOFF_MS
    const wait = this.#backoff
    this.#backoff = Math.min(LAST_BACKOFF_MS, this.#backoff * 2)
    const { index, notice } = this.#options
    const why = problem === undefined ? '' : `: ${problem.split('\n', 1)[0]?.slice(0, 200)}`
    const lost = cutOff === 0 ? '' : `; ${cutOff} request${cutOff === 1 ? ' was' : 's were'} cut off`
    notice(
      what === 'failed'
        ? `worker ${index} failed${why}; another takes its place in ${wait} ms, and it finishes what it has`
        : `worker ${index} ended${why}${lost}; starting it again in ${wait} ms`,
    )
    this.#restart = setTimeout(() => {
      this.start().then(
        () => {
          for (const worker of this.#leaving) void worker.stop(LEAVING_GRACE_MS, LINGER_MS)
        },
        (error: unknown) => {
          if (!this.#closing) this.#startAgain('ended', error instanceof Error ? error.message : undefined, 0)
        },
      )
    }, wait)
  }

  /** Tells everybody who takes requests here. */
  tell(message: ToWorker): void {
    this.#sitting?.tell(message)
    for (const worker of this.#leaving) worker.tell(message)
  }

  /**
   * The problem, or undefined when the worker took the new configuration. A seat that is empty begins with
   * it.
   */
  async reload(data: unknown): Promise<string | undefined> {
    const before = this.#reloaded
    const next = { data }
    this.#reloaded = next
    if (this.#sitting?.listens !== true) return undefined
    for (const worker of this.#leaving) void worker.reload(data)
    const problem = await this.#sitting.reload(data)
    if (problem !== undefined && this.#reloaded === next) this.#reloaded = before
    return problem
  }

  /** @param grace milliseconds for what is under way */
  async close(grace: number): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const workers = [...this.#leaving, ...(this.#sitting === undefined ? [] : [this.#sitting])]
    await Promise.all(workers.map(worker => worker.stop(grace, 0)))
  }
}
