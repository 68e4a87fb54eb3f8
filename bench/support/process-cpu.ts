import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { median, quantile } from './harness.ts'
import { KeepAliveLoad } from './keep-alive-load.ts'

const CONNECTIONS = 32
/**
 * Requests at the start of a turn that are not measured: while others had theirs, connections to the backend
 * were closed, and those of the clients are new.
 */
const SETTLING = 100
/** Rounds in any case. */
const FEWEST_ROUNDS = 5
/** Requests between two looks at the time. */
const WARM_STEP = 1_000

/** A server in a process of its own. */
export interface MeasuredProcess {
  readonly name: string
  readonly process: ChildProcess
  readonly port: number
}

/** CPU per request of one kind of server by that of another, in the rounds in which both had their turn. */
export interface CpuRatio {
  readonly median: number
  /** Half of the rounds lie between these. */
  readonly lower: number
  readonly upper: number
}

/** CPU per request of each process, a figure a round, by name. */
export class CpuRounds {
  readonly #taken: ReadonlyMap<string, readonly number[]>

  private constructor(taken: ReadonlyMap<string, readonly number[]>) {
    this.#taken = taken
  }

  /**
   * Measures processes in turn, in many short rounds, each of which begins with another: a slow moment of the
   * machine is slow to neighbours alike, and the median of many rounds hardly knows of it.
   * @param requests of a turn
   * @param warmUp requests of each beforehand, until V8 has compiled what it will
   * @param longestMs after which neither begins another: of a busy machine there are fewer rounds then, and
   * colder processes
   */
  static async measure(
    processes: readonly MeasuredProcess[],
    {
      rounds,
      requests,
      warmUp,
      longestMs = Number.POSITIVE_INFINITY,
    }: {
      readonly rounds: number
      readonly requests: number
      readonly warmUp: number
      readonly longestMs?: number
    },
  ): Promise<CpuRounds> {
    await warm(processes, warmUp, longestMs)
    const end = performance.now() + longestMs
    const taken = new Map(processes.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round < rounds; round++) {
      if (round >= FEWEST_ROUNDS && performance.now() > end) break
      for (let turn = 0; turn < processes.length; turn++) {
        const measured = processes[(turn + round) % processes.length] as MeasuredProcess
        taken.get(measured.name)?.push(await roundOf(measured, requests))
      }
    }
    return new CpuRounds(taken)
  }

  /** Microseconds of CPU of a request: the middle of the rounds. */
  of(name: string): number {
    return median(this.#taken.get(name) ?? [])
  }

  /**
   * @param names processes of one kind, each with a heap and compiled code of its own: the mean of all counts
   * @param peers those of the other kind
   */
  ratio(names: string | readonly string[], peers: string | readonly string[]): CpuRatio {
    const below = this.#means(peers)
    const ratios = this.#means(names).map((took, round) => took / (below[round] ?? Number.NaN))
    return { median: median(ratios), lower: quantile(ratios, 0.25), upper: quantile(ratios, 0.75) }
  }

  #means(names: string | readonly string[]): readonly number[] {
    const kept = [names].flat().map(name => this.#taken.get(name) ?? [])
    return (kept[0] ?? []).map((_, round) => {
      const turns = kept.map(taken => taken[round] ?? Number.NaN)
      return turns.reduce((sum, took) => sum + took, 0) / turns.length
    })
  }
}

/** Over connections of its own: a gateway closes those that wait while others have their turn. */
async function roundOf({ port, process: { pid } }: MeasuredProcess, requests: number): Promise<number> {
  const load = await KeepAliveLoad.connect(port, CONNECTIONS)
  await load.run(SETTLING)
  const before = cpuOf(pid)
  await load.run(requests)
  const took = (cpuOf(pid) - before) / requests
  load.close()
  return took
}

/**
 * Sends requests to processes, two at a time, so that V8 has compiled what it will.
 * @param longestMs all of it takes hardly longer
 */
export async function warm(
  processes: readonly MeasuredProcess[],
  requests: number,
  longestMs: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const waiting = [...processes]
  // Two at a time.
  const each = (longestMs * 2) / processes.length
  const warmNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const load = await KeepAliveLoad.connect(next.port, CONNECTIONS)
      const end = performance.now() + each
      for (let left = requests; left > 0 && performance.now() < end; left -= WARM_STEP)
        await load.run(Math.min(left, WARM_STEP))
      load.close()
    }
  }
  await Promise.all([warmNext(), warmNext()])
}

/**
 * Microseconds of CPU that all threads of a process have taken, as the scheduler counts them: in nanoseconds,
 * where proc(5) has hundredths of a second.
 */
function cpuOf(pid: number | undefined): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    } catch {
      // It ended meanwhile.
    }
  }
  return nanoseconds / 1_000
}
