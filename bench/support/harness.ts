import { cpus, loadavg } from 'node:os'

// A benchmark whose starter was killed has nobody to report to. What it started itself ends with it.
if (process.channel !== undefined) {
  process.once('disconnect', () => process.exit(1))
  process.channel.unref()
}

/** One way of doing the work of a benchmark. `run` does the same amount of work each time it is called. */
export interface Candidate {
  readonly name: string
  /** Operations one run performs. */
  readonly operations: number
  /** Done before each run and not measured. */
  prepare?(): void | Promise<void>
  run(): void | Promise<void>
}

/** What the rounds of one candidate showed, nanoseconds per operation. */
export interface Timing {
  readonly name: string
  readonly median: number
  readonly lowerQuartile: number
  readonly best: number
  readonly worst: number
  /** Lower quartile of the processor time of all threads: what a busy machine changes least. */
  readonly cpu: number
}

/** `--quick`: the same ratios from fewer rounds, in under 45 s on a quiet machine. */
export const isQuick: boolean = process.argv.includes('--quick')

/** A value such that `share` of the sorted values lie below it. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/**
 * Runs all candidates in turn, `rounds` times, each round starting with another one, after one unmeasured
 * round: a machine whose speed drifts is equally slow to all of them. With `--quick` three rounds at most.
 */
export async function interleave(
  candidates: readonly Candidate[],
  rounds: number,
): Promise<readonly Timing[]> {
  const samples = candidates.map(() => [] as number[])
  const most = isQuick ? Math.min(rounds, 3) : rounds
  const work = candidates.map(() => [] as number[])
  for (let round = -1; round < most; round++) {
    for (let turn = 0; turn < candidates.length; turn++) {
      const index = (turn + Math.max(0, round)) % candidates.length
      const candidate = candidates[index] as Candidate
      await candidate.prepare?.()
      globalThis.gc?.()
      const before = process.cpuUsage()
      const started = process.hrtime.bigint()
      await candidate.run()
      const elapsed = Number(process.hrtime.bigint() - started)
      const { user, system } = process.cpuUsage(before)
      if (round < 0) continue
      samples[index]?.push(elapsed / candidate.operations)
      work[index]?.push(((user + system) * 1_000) / candidate.operations)
    }
  }
  return candidates.map((candidate, index) => {
    const own = samples[index] ?? []
    return {
      name: candidate.name,
      median: median(own),
      lowerQuartile: quantile(own, 0.25),
      best: Math.min(...own),
      worst: Math.max(...own),
      cpu: quantile(work[index] ?? [], 0.25),
    }
  })
}

/** Prints timings as a table for people. */
export function printTimings(title: string, timings: readonly Timing[]): void {
  console.log(`\n${title} (ns per operation)`)
  const width = Math.max(...timings.map(timing => timing.name.length))
  for (const { name, best, lowerQuartile, median: middle, worst } of timings) {
    const columns = [best, lowerQuartile, middle, worst].map(value => value.toFixed(0).padStart(9))
    console.log(
      `  ${name.padEnd(width)}  best${columns[0]}  q1${columns[1]}  median${columns[2]}  worst${columns[3]}`,
    )
  }
}

export interface Report {
  readonly bench: string
  readonly ratios: Readonly<Record<string, number>>
  readonly figures: Readonly<Record<string, number | string>>
  /** What is not equal about the work of the candidates, in sentences. */
  readonly unequal: readonly string[]
}

/** Prints ratios, what is unequal, and with `--json` the machine-readable object as the last line. */
export function report({ bench, ratios, figures, unequal }: Report): void {
  const rounded = Object.fromEntries(
    Object.entries(ratios).map(([key, value]) => [key, Number(value.toPrecision(4))]),
  )
  console.log('\nratios')
  for (const [key, value] of Object.entries(rounded)) console.log(`  ${key}: ${value}`)
  console.log('\nfigures')
  for (const [key, value] of Object.entries(figures)) console.log(`  ${key}: ${value}`)
  const load = loadavg().map(value => Number(value.toFixed(2)))
  console.log(`\nload average ${load.join(', ')} on ${cpus().length} cores`)
  console.log('\nunequal about the work')
  for (const sentence of unequal) console.log(`  ${sentence}`)
  if (process.argv.includes('--json')) {
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      platform: process.platform,
      load,
    }
    console.log(JSON.stringify({ bench, ratios: rounded, figures, machine }))
  }
}
