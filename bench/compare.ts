// This checkout beside another commit: the servers of `layer` and `gateway` of both in the same rounds, and
// `throttle-memory` and `detect-cost` of both in turns. `--with COMMIT` names the other, which is checked
// out and installed in a temporary folder; `--only NAME` measures one of the four.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/workspace.ts'
import { isQuick, median, report } from './support/harness.ts'
import { CpuRounds, type MeasuredProcess } from './support/process-cpu.ts'

const NAMES = ['layer', 'gateway', 'throttle-memory', 'detect-cost'] as const
const CPU = { rounds: isQuick ? 12 : 40, requests: 1_500, warmUp: isQuick ? 20_000 : 50_000 }
/** Runs of a whole benchmark on each side. */
const TURNS = isQuick ? 1 : 3
const INSTALL_MS = 600_000
const RUN_MS = 900_000

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

/** Figures and ratios that a benchmark prints with `--json`, as numbers. */
function numbersOf(code: string, name: string): ReadonlyMap<string, number> {
  const args = [...process.execArgv, '--expose-gc', join(code, 'bench', `${name}.ts`), '--json']
  const text = execFileSync(process.execPath, isQuick ? [...args, '--quick'] : args, {
    cwd: code,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: RUN_MS,
    maxBuffer: 16_777_216,
  })
  const said = JSON.parse(text.trim().split('\n').at(-1) ?? '') as {
    readonly ratios: Readonly<Record<string, unknown>>
    readonly figures: Readonly<Record<string, unknown>>
  }
  const all = [...Object.entries(said.ratios), ...Object.entries(said.figures)]
  return new Map(all.flatMap(([key, value]) => (typeof value === 'number' ? [[key, value] as const] : [])))
}

/** Runs a whole benchmark of both sides in turns, and compares what both print. */
function compareRuns(name: string, sides: Sides): void {
  const runs = { old: [] as ReadonlyMap<string, number>[], new: [] as ReadonlyMap<string, number>[] }
  for (let turn = 0; turn < TURNS; turn++)
    for (const side of ['old', 'new'] as const) runs[side].push(numbersOf(sides[side], name))
  const middle = (side: 'old' | 'new', key: string): number =>
    median(runs[side].map(run => run.get(key) ?? Number.NaN))
  for (const key of runs.new[0]?.keys() ?? []) {
    const [before, after] = [middle('old', key), middle('new', key)]
    if (!(before > 0 && after > 0)) continue
    const label = `${name} ${key}`
    ratios[label] = after / before
    figures[label] = `${before} old, ${after} new`
  }
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-compare-'))
const sides: Sides = { old: join(folder, 'old'), new: root }
const run = (command: string, args: readonly string[], cwd: string): void =>
  void execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS })
try {
  run('git', ['worktree', 'add', '--quiet', '--detach', sides.old, commit], root)
  for (const at of [sides.old, join(sides.old, 'bench')])
    run('npm', ['ci', '--ignore-scripts', '--loglevel=error'], at)
  const isAsked = (name: (typeof NAMES)[number]): boolean => only === undefined || only === name
  if (isAsked('layer')) await compareLayer(sides, join(folder, 'data'))
  if (isAsked('gateway')) await compareGateway(sides, join(folder, 'data'))
  if (isAsked('throttle-memory')) compareRuns('throttle-memory', sides)
  if (isAsked('detect-cost')) compareRuns('detect-cost', sides)
} finally {
  if (existsSync(sides.old)) run('git', ['worktree', 'remove', '--force', sides.old], root)
  rmSync(folder, { recursive: true, force: true })
}
report({
  bench: 'compare',
  ratios,
  figures,
  unequal: [
    'A ratio is the present code by that of the other commit. For layer and gateway it is CPU per request, the median of rounds in which both had their turn; for the others it is what the benchmark itself printed, so that more is worse for a time and better for a ratio to a peer.',
    'Each side runs its own servers and default configuration: a later version that protects against more does more work. "express", "fastify" and "undici" hold no code of Postern, and say what the comparison is worth.',
  ],
})
