// This checkout beside another commit: the servers of `layer` and `gateway` of both in the same rounds, and
// the decisions that `throttle-memory` and `detect-cost` time, in turns. `--with COMMIT` names the other,
// which is checked out and installed in a temporary folder; `--only NAME` measures one of the four.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/workspace.ts'
import { isQuick, median, quantile, report } from './support/harness.ts'
import { CpuRounds, type MeasuredProcess } from './support/process-cpu.ts'

const NAMES = ['layer', 'gateway', 'throttle-memory', 'detect-cost'] as const
/** Microseconds that a round of decisions takes in each process. */
const ROUND_US = 20_000
/**
 * Microseconds of a piece of work after which a process counts as warm. The CPU of compiling counts among
 * them: with 150 ms, a decision of a microsecond was timed before it was compiled.
 */
const WARM_US = 1_000_000
/** Milliseconds for the rounds of one piece of work, or of one set of servers; and rounds in any case. */
const LONGEST_MS = isQuick ? 25_000 : 120_000
const FEWEST_ROUNDS = 5
const CPU = {
  rounds: isQuick ? 40 : 120,
  requests: 400,
  warmUp: isQuick ? 20_000 : 50_000,
  longestMs: LONGEST_MS,
}
/**
 * Processes of each side for decisions: V8 compiles the same code into faster or slower one by what it saw
 * first, and of two processes with one source the one took up to a fifth longer than the other.
 */
const COPIES = 3
const INSTALL_MS = 600_000
/** A server that does not answer for so long is given up. */
const ANSWER_MS = 60_000

const commit = optionOf('--with')
const only = optionOf('--only')
if (commit === undefined || (only !== undefined && !NAMES.some(name => name === only))) {
  console.error(`usage: npm run bench -- compare --with COMMIT [--only ${NAMES.join('|')}] [--quick]`)
  process.exit(2)
}

function optionOf(option: string): string | undefined {
  const at = process.argv.indexOf(option)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** The two sides, and where their code is. */
type Sides = Readonly<Record<'old' | 'new', string>>

const ratios: Record<string, number> = {}
const figures: Record<string, number | string> = {}

/** A server of `bench/support`, of one side. */
async function start(
  name: string,
  folder: string,
  file: string,
  args: readonly string[],
): Promise<MeasuredProcess> {
  const child: ChildProcess = fork(join(folder, 'bench/support', file), args, { cwd: join(folder, 'bench') })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', answer => resolve(Number(answer)))
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
    const timer = setTimeout(() => reject(new Error(`${name} did not listen`)), ANSWER_MS)
    child.once('message', () => clearTimeout(timer)).once('exit', () => clearTimeout(timer))
    // A gateway says it by itself, and takes no questions in older versions.
    if (file.startsWith('layer')) child.send('port')
  })
  return { name, process: child, port }
}

function stop(servers: readonly MeasuredProcess[]): void {
  for (const { process: child } of servers) {
    child.removeAllListeners('exit')
    child.kill()
  }
}

/** Prints CPU per request of both sides, and the ratio of the present to the other. */
function compare(bench: string, variants: readonly string[], cpu: CpuRounds): void {
  for (const variant of variants) {
    const key = `${bench}_${variant.replaceAll(/\W/g, '_')}`
    const { median: middle, lower, upper } = cpu.ratio(`${variant} new`, `${variant} old`)
    ratios[key] = middle
    figures[`${key}_quartiles`] = `${lower.toFixed(3)} to ${upper.toFixed(3)}`
    for (const side of ['old', 'new'])
      figures[`${key}_${side}_us`] = Number(cpu.of(`${variant} ${side}`).toFixed(1))
  }
}

async function compareLayer(sides: Sides, folder: string): Promise<void> {
  const variants = ['express', 'express+layer', 'fastify', 'fastify+layer']
  const servers: MeasuredProcess[] = []
  try {
    for (const variant of variants)
      for (const [side, code] of Object.entries(sides))
        servers.push(
          await start(`${variant} ${side}`, code, 'layer-server.ts', [variant, join(folder, side, variant)]),
        )
    compare('layer', variants, await CpuRounds.measure(servers, CPU))
  } finally {
    stop(servers)
  }
}

async function compareGateway(sides: Sides, folder: string): Promise<void> {
  const variants = ['undici', 'empty', 'default']
  const backend = await start('backend', sides.new, 'gateway-server.ts', ['backend', '', ''])
  const servers: MeasuredProcess[] = []
  try {
    for (const variant of variants)
      for (const [side, code] of Object.entries(sides)) {
        const args = [variant, `http://127.0.0.1:${backend.port}`, join(folder, side, `gateway-${variant}`)]
        servers.push(await start(`${variant} ${side}`, code, 'gateway-server.ts', args))
      }
    compare('gateway', variants, await CpuRounds.measure(servers, CPU))
  } finally {
    stop([...servers, backend])
  }
}

/** The process of one side that does pieces of work on request. */
class Decisions {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** @returns the process, and the names of its pieces of work */
  static async start(code: string): Promise<{ decisions: Decisions; work: readonly string[] }> {
    const child = fork(join(root, 'bench/support/decisions-server.ts'), [code])
    const decisions = new Decisions(child)
    return { decisions, work: (await decisions.#answer()) as readonly string[] }
  }

  /** Microseconds of CPU of each operation. */
  async cpu(work: string, operations: number): Promise<number> {
    const answer = this.#answer()
    this.#child.send({ work, operations })
    return Number(await answer)
  }

  #answer(): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>()
    const onExit = (code: number | null): void => answer.reject(new Error(`decisions ended with ${code}`))
    const timer = setTimeout(() => answer.reject(new Error('decisions did not answer')), ANSWER_MS)
    this.#child.once('message', answer.resolve).once('exit', onExit)
    return answer.promise.finally(() => {
      clearTimeout(timer)
      this.#child.off('exit', onExit)
    })
  }

  stop(): void {
    this.#child.kill()
  }
}

interface Started {
  readonly side: 'old' | 'new'
  readonly decisions: Decisions
}

/**
 * Does a piece of work until it is compiled: of ten cold decisions, nine tenths of the time are V8's.
 * @returns microseconds of CPU of each operation by then
 */
async function warmed(decisions: Decisions, work: string): Promise<number> {
  for (let operations = 1; ; operations *= 2) {
    const each = await decisions.cpu(work, operations)
    if (each * operations >= WARM_US) return each
  }
}

/** Microseconds of CPU of a decision in each round, the mean of the processes of a side. */
async function roundsOf(
  work: string,
  started: readonly Started[],
): Promise<Readonly<Record<'old' | 'new', readonly number[]>>> {
  let calm = 0
  for (const { decisions } of started) calm = Math.max(calm, await warmed(decisions, work))
  // So many that a round takes as long for every piece of work.
  const operations = Math.max(1, Math.round(ROUND_US / calm))
  const taken = { old: [] as number[], new: [] as number[] }
  const end = performance.now() + LONGEST_MS
  for (let round = -3; round < CPU.rounds; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() > end) break
    const sums = { old: 0, new: 0 }
    for (const { side, decisions } of round % 2 === 0 ? started : started.toReversed())
      sums[side] += await decisions.cpu(work, operations)
    if (round < 0) continue
    taken.old.push(sums.old / COPIES)
    taken.new.push(sums.new / COPIES)
  }
  return taken
}

function reportWork(work: string, taken: Readonly<Record<'old' | 'new', readonly number[]>>): void {
  const found = taken.new.map((cpu, round) => cpu / (taken.old[round] ?? Number.NaN))
  ratios[work] = median(found)
  figures[`${work}_rounds`] = found.length
  figures[`${work}_quartiles`] = `${quantile(found, 0.25).toFixed(3)} to ${quantile(found, 0.75).toFixed(3)}`
  for (const side of ['old', 'new'] as const)
    figures[`${work}_${side}_us`] = Number(median(taken[side]).toFixed(3))
}

/**
 * The same decisions of both sides in turns, in some processes of each: those of limits in memory
 * (`throttle`) or of inspection (`inspect`). The benchmarks of both commits are not run: the older ones know
 * no short form, and measure other things.
 */
async function compareDecisions(kind: 'throttle' | 'inspect', { old, new: present }: Sides): Promise<void> {
  const started: Started[] = []
  let pieces: readonly string[] = []
  try {
    for (let copy = 0; copy < COPIES; copy++)
      for (const [side, code] of [
        ['old', old],
        ['new', present],
      ] as const) {
        const { decisions, work } = await Decisions.start(code)
        started.push({ side, decisions })
        pieces = work
      }
    for (const work of pieces.filter(name => name.startsWith(kind)))
      reportWork(work, await roundsOf(work, started))
  } finally {
    for (const { decisions } of started) decisions.stop()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-compare-'))
const sides: Sides = { old: join(folder, 'old'), new: root }
const run = (command: string, args: readonly string[], cwd: string): void =>
  void execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS })
try {
  run('git', ['worktree', 'add', '--quiet', '--detach', sides.old, commit], root)
  for (const at of [sides.old, join(sides.old, 'bench')])
    run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--loglevel=error'], at)
  const isAsked = (name: (typeof NAMES)[number]): boolean => only === undefined || only === name
  if (isAsked('layer')) await compareLayer(sides, join(folder, 'data'))
  if (isAsked('gateway')) await compareGateway(sides, join(folder, 'data'))
  if (isAsked('throttle-memory')) await compareDecisions('throttle', sides)
  if (isAsked('detect-cost')) await compareDecisions('inspect', sides)
} finally {
  if (existsSync(sides.old)) run('git', ['worktree', 'remove', '--force', sides.old], root)
  rmSync(folder, { recursive: true, force: true })
}
report({
  bench: 'compare',
  ratios,
  figures,
  unequal: [
    'A ratio is the present code by that of the other commit. It is CPU per request or decision, the median of rounds in which both had their turn.',
    'Each side runs its own servers and default configuration: a later version that protects against more does more work. "express", "fastify" and "undici" hold no code of Postern, and say what the comparison is worth.',
  ],
})
