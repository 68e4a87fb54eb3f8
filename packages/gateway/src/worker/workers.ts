import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import { type Duration, parseDuration } from '@postern/core'
import { WorkerSeat } from './worker-seat.ts'

/** How many workers run, what they are started with, and what bounds them. */
export interface WorkersOptions {
  /** Default: one per core. */
  readonly count?: number
  /** Module that calls `workerLink`. */
  readonly entry: URL
  /**
   * Given to every worker; a `SharedArrayBuffer` in it is shared, so that counters stay exact across workers.
   */
  readonly workerData?: unknown
  /** Options for node of every worker, e.g. `--conditions=...`. */
  readonly execArgv?: readonly string[]
  /**
   * The most memory that a worker may take. One that needs more ends and is started again; the others go on.
   * Where `maxOldGenerationSizeMb` is given, `maxYoungGenerationSizeMb` is 16 unless it is given too.
   * Default: that of Node.
   */
  readonly resourceLimits?: ResourceLimits
  /**
   * A message that a worker sent. It may come before `startWorkers` resolves: a worker takes requests as soon
   * as it listens.
   * @param reply sends to the thread that sent it, and to no other; without effect when that has ended
   */
  readonly onMessage?: (data: unknown, index: number, reply: (data: unknown) => void) => void
  /**
   * A thread is gone, and all that it sent has arrived.
   * @param made where its `link.made` stood
   * @param reply the same as of its messages, without effect now
   */
  readonly onEnd?: (index: number, made: number, reply: (data: unknown) => void) => void
  /**
   * A worker whose event loop does not turn for so long, in an endless computation, is ended and started
   * again; while a debugger is attached none is. Default: 30 seconds.
   */
  readonly stuckAfter?: Duration
  /**
   * Workers load their code and hold their port at once, but open nothing (`link.begun`) until this resolves;
   * at once unless given. When it rejects, the start fails with its reason.
   */
  readonly begin?: Promise<void>
  /**
   * One line for the operator: a worker died, or this platform allows only one. Standard error unless given.
   */
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
  /**
   * Requests that were under way in workers when those ended, since the start: their clients got no answer,
   * or a part of one.
   */
  readonly cutOff: number
  /** Sends a message to every worker. */
  broadcast(data: unknown): void
  /** Hands every worker a new configuration. Each swaps it in between two requests; none is lost. */
  reload(data: unknown): Promise<Reloaded>
  /** Stops all; those not done by the end of the grace are ended. Calling again can only shorten it. */
  close(options?: { readonly grace?: Duration }): Promise<void>
}

/**
 * Megabytes of young objects in a worker whose memory is bounded. At its limit Node gives a thread 16 MB more
 * to end in. When more young objects than that survive at once (48 MB is Node's default), V8 finds no place
 * for them and ends the whole process, with all workers.
 */
const YOUNG_MB = 16

function boundedYoung(limits: ResourceLimits | undefined): ResourceLimits | undefined {
  return limits?.maxOldGenerationSizeMb === undefined
    ? limits
    : { maxYoungGenerationSizeMb: YOUNG_MB, ...limits }
}

/** Whether the kernel spreads connections over several sockets on one port. */
function canShareAPort(platform: NodeJS.Platform): boolean {
  return platform === 'linux' || platform === 'freebsd'
}

/**
 * Runs the entry in several threads that listen on the same port (`SO_REUSEPORT`). Resolves when all of them
 * listen. A worker that fails (an error that nobody caught) is replaced, and answers what it has in the
 * meantime; one that is gone is started again, later each time. Where a port cannot be shared there is one
 * worker, and a line that says so.
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
  const { entry, workerData, execArgv, resourceLimits, onMessage, onEnd } = options
  const { begin = Promise.resolve(), stuckAfter = '30s' } = options
  const common = {
    entry,
    workerData,
    execArgv,
    resourceLimits: boundedYoung(resourceLimits),
    onMessage,
    onEnd,
    stuckAfter: parseDuration(stuckAfter, 'stuckAfter'),
    begin,
    notice,
    count,
    reusePort: shares,
  }
  const seats = Array.from({ length: count }, (_, index) => new WorkerSeat({ ...common, index }))
  try {
    await Promise.all([begin, ...seats.map(seat => seat.start())])
  } catch (error) {
    await Promise.all(seats.map(seat => seat.close(0)))
    throw error
  }
  return {
    count,
    get live() {
      return seats.filter(seat => seat.live).length
    },
    get cutOff() {
      return seats.reduce((sum, seat) => sum + seat.cutOff, 0)
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
