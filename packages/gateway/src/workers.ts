import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Duration, parseDuration } from '@postern/core'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 10_000
/** A worker that lived this long starts again without having to wait. */
const STEADY_MS = 30_000

export interface WorkersOptions {
  /** Default: one per core. */
  readonly count?: number
  /** Module that calls `workerLink`. */
  readonly entry: URL
  /** Given to every worker; a `SharedArrayBuffer` in it is shared, so that counters stay exact across workers. */
  readonly workerData?: unknown
  /** Options for node of every worker, e.g. `--conditions=...`. */
  readonly execArgv?: readonly string[]
  /**
   * A message that a worker sent. It may come before `startWorkers` resolves: a worker takes requests as soon as it listens.
   * @param reply sends to the thread that sent it, and to no other; without effect when that has ended
   */
  readonly onMessage?: (data: unknown, index: number, reply: (data: unknown) => void) => void
  /** One line for the operator: a worker died, or this platform allows only one. Standard error unless given. */
  readonly onNotice?: (line: string) => void
  /** Platform whose sockets are asked for; this one unless given. */
  readonly platform?: NodeJS.Platform
}

/** What became of a reload. */
export interface Reloaded {
  /** Problems, one per worker that kept its old configuration; empty when all took the new one. */
  readonly problems: readonly { readonly index: number; readonly problem: string }[]
}

/** Running workers. */
export interface Workers {
  readonly count: number
  /** Threads that listen at this moment. */
  readonly live: number
  /** Sends a message to every worker. */
  broadcast(data: unknown): void
  /** Hands every worker a new configuration. Each swaps it in between two requests; none is lost. */
  reload(data: unknown): Promise<Reloaded>
  /** Stops all; those not done by the end of the grace are ended. */
  close(options?: { readonly grace?: Duration }): Promise<void>
}

/** Whether the kernel spreads connections over several sockets on one port. */
function canShareAPort(platform: NodeJS.Platform): boolean {
  return platform === 'linux' || platform === 'freebsd'
}

/**
 * Runs the entry in several threads that listen on the same port (`SO_REUSEPORT`). Resolves when all of them listen. A worker that crashes
 * is started again, later each time; where a port cannot be shared there is one worker, and a line that says so.
 * @throws Error of the first worker that ended before it listened
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const notice = options.onNotice ?? ((line: string): void => void process.stderr.write(`postern: ${line}\n`))
  const platform = options.platform ?? process.platform
  const wanted = options.count ?? availableParallelism()
  const shares = canShareAPort(platform)
  if (!shares && wanted > 1)
    notice(`one worker instead of ${wanted}: ${platform} cannot spread connections over several threads`)
  const count = shares ? wanted : 1
  const seats = Array.from({ length: count }, (_, index) => new Seat(options, index, count, shares, notice))
  try {
    await Promise.all(seats.map(seat => seat.start()))
  } catch (error) {
    await Promise.all(seats.map(seat => seat.close(0)))
    throw error
  }
  return {
    count,
    get live() {
      return seats.filter(seat => seat.live).length
    },
    broadcast: data => {
      for (const seat of seats) seat.tell({ kind: 'message', data })
    },
    reload: async data => {
      const results = await Promise.all(seats.map(seat => seat.reload(data)))
      return {
        problems: results.flatMap((problem, index) => (problem === undefined ? [] : [{ index, problem }])),
      }
    },
    close: async ({ grace = '30s' } = {}) => {
      const ms = parseDuration(grace, 'grace')
      await Promise.all(seats.map(seat => seat.close(ms)))
    },
  }
}

/** The place of one worker, and whoever sits in it. */
class Seat {
  live = false
  readonly #options: WorkersOptions
  readonly #start: Omit<WorkerStart['posternWorker'], 'reloaded'>
  readonly #notice: (line: string) => void
  readonly #reloads = new Map<number, (problem: string | undefined) => void>()
  #worker: Worker | undefined = undefined
  #closing = false
  #nextReload = 0
  #backoff = FIRST_BACKOFF_MS
  #restart: NodeJS.Timeout | undefined = undefined
  /** The configuration that a restarted worker must begin with. */
  #reloaded: { readonly data: unknown } | undefined = undefined

  constructor(
    options: WorkersOptions,
    index: number,
    count: number,
    reusePort: boolean,
    notice: (line: string) => void,
  ) {
    this.#options = options
    this.#start = { index, count, reusePort }
    this.#notice = notice
  }

  /** Resolves when the worker listens. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const started = performance.now()
      const data: WorkerStart = {
        posternWorker: { ...this.#start, reloaded: this.#reloaded },
        data: this.#options.workerData,
      }
      const { execArgv } = this.#options
      const worker = new Worker(this.#options.entry, {
        workerData: data,
        ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      })
      this.#worker = worker
      let cause: Error | undefined
      const reply = (data: unknown): void => worker.postMessage({ kind: 'message', data } satisfies ToWorker)
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'message') this.#options.onMessage?.(message.data, this.#start.index, reply)
        else if (message.kind === 'reloaded') this.#settleReload(message.id, message.problem)
        else {
          this.live = true
          resolve()
        }
      })
      worker.on('error', error => {
        cause = error instanceof Error ? error : new Error('a worker threw a value that is no error')
      })
      worker.on('exit', code => {
        const wasLive = this.live
        this.live = false
        this.#worker = undefined
        for (const id of [...this.#reloads.keys()]) this.#settleReload(id, 'the worker ended')
        if (!wasLive && !this.#closing)
          reject(cause ?? new Error(`worker ${this.#start.index} ended with ${code}`))
        if (wasLive && !this.#closing) this.#startAgain(cause, performance.now() - started)
      })
    })
  }

  #startAgain(cause: Error | undefined, lived: number): void {
    if (lived >= STEADY_MS) this.#backoff = FIRST_BACKOFF_MS
    const wait = this.#backoff
    this.#backoff = Math.min(LAST_BACKOFF_MS, this.#backoff * 2)
    const why = cause === undefined ? '' : `: ${cause.message.split('\n', 1)[0]?.slice(0, 200)}`
    this.#notice(`worker ${this.#start.index} ended${why}; starting it again in ${wait} ms`)
    this.#restart = setTimeout(() => {
      this.start().catch((error: unknown) => {
        if (!this.#closing) this.#startAgain(error instanceof Error ? error : undefined, 0)
      })
    }, wait)
  }

  tell(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  /** The problem, or undefined when the worker took the new configuration. A seat that is empty begins with it. */
  reload(data: unknown): Promise<string | undefined> {
    if (!this.live) {
      this.#reloaded = { data }
      return Promise.resolve(undefined)
    }
    const id = this.#nextReload++
    return new Promise(resolve => {
      this.#reloads.set(id, problem => {
        if (problem === undefined) this.#reloaded = { data }
        resolve(problem)
      })
      this.tell({ kind: 'reload', id, data })
    })
  }

  #settleReload(id: number, problem: string | undefined): void {
    const settle = this.#reloads.get(id)
    this.#reloads.delete(id)
    settle?.(problem)
  }

  async close(grace: number): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    if (!this.live) await worker.terminate()
    else {
      this.tell({ kind: 'stop', grace })
      const timer = setTimeout(() => void worker.terminate(), grace + 1_000)
      await ended
      clearTimeout(timer)
    }
  }
}
