// `npm run mutate -- PACKAGE[/FOLDER] [--tests MORE,PACKAGES] [--count 100] [--seed 1] [--at FILE[:LINE]]`:
// changes a sample of places in the source, one at a time, and runs the test files that reach the place until
// the first test that fails. What no test notices is listed; the score is the share noticed.
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startServices } from '../test/services.ts'
import { EXPLAINED_MUTANTS } from './explained-mutants.ts'
import { mutantsOf } from './mutants.ts'
import type { Mutant } from './mutated-source.ts'
import { type RanPlaces, ranPlaces } from './test-coverage-map.ts'
import { root } from './workspace.ts'

const { positionals, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    tests: { type: 'string', default: '' },
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    at: { type: 'string' },
  },
})
const [target = '', ...more] = positionals
const [name = '', ...inside] = target.split('/')
const sources = globSync(join('packages', name, 'src', ...inside, '**/*.ts'), { cwd: root }).filter(
  file => !/index\.ts$|\.sql\.ts$/.test(file),
)
if (name === '' || more.length > 0 || sources.length === 0) {
  console.error(
    'usage: npm run mutate -- PACKAGE[/FOLDER] [--tests MORE,PACKAGES] [--count 100] [--seed 1] [--at FILE[:LINE]], e.g. inspect/rules',
  )
  process.exit(2)
}

interface Placed {
  readonly file: string
  /** The file when the mutant was made. */
  readonly source: string
  readonly mutant: Mutant
}

interface TestFile {
  readonly file: string
  readonly milliseconds: number
  readonly ran: RanPlaces
}

/** A test file that takes longer is left out: each of its mutants would take as long. */
const SLOWEST_FILE = 120_000
const SPARE = 20_000
/** A file that takes longer waits for servers, and may fail by itself on a busy machine. */
const STEADY = 2_000

// Hundreds of short processes: whatever else the machine does comes first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
// Most of a short test is starting and compiling. The folder goes with the mutants compiled into it.
const compiled = mkdtempSync(join(tmpdir(), 'postern-mutate-'))
const services = await startServices()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void services.stop().finally(() => process.exit(130)))
try {
  const folders = [name, ...values.tests.split(',').filter(folder => folder !== '')]
  const tests = globSync(
    folders.map(folder => `packages/${folder}/test/**/*.test.ts`),
    { cwd: root },
  )
    .sort()
    .flatMap(measured)
  const all = sources.flatMap(file => {
    const source = readFileSync(join(root, file), 'utf8')
    return mutantsOf(source).map(mutant => ({ file, source, mutant }))
  })
  const sample =
    values.at === undefined
      ? drawn(all, Number(values.count), Number(values.seed))
      : all.filter(placed => isAt(placed, values.at ?? ''))
  let noticed = 0
  let explained = 0
  for (const [index, placed] of sample.entries()) {
    const reason = survives(placed, tests)
    if (reason === undefined) noticed++
    else {
      const why = explanationOf(placed)
      if (why !== undefined) explained++
      console.log(`survived ${placeOf(placed)}: ${placed.mutant.what} (${why ?? reason})`)
    }
    if (index % 25 === 24) console.log(`... ${noticed} of ${index + 1} noticed`)
  }
  const score = Math.round((noticed / sample.length) * 1_000) / 10
  console.log(`${target}: ${noticed} of ${sample.length} mutants noticed, score ${score} %`)
  if (explained > 0) console.log(`${explained} of the ${sample.length - noticed} survivors are explained`)
} finally {
  await services.stop()
  rmSync(compiled, { recursive: true, force: true })
}

/** Runs a test file once, for its time and for the places it reaches. */
function measured(file: string): readonly TestFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mutate-'))
  try {
    const started = performance.now()
    const { status, stderr } = run(file, { NODE_V8_COVERAGE: folder }, SLOWEST_FILE)
    const milliseconds = performance.now() - started
    if (status === 0) return [{ file, milliseconds, ran: ranPlaces(folder) }]
    const said = String(stderr).trim().split('\n').at(-1)
    console.log(`left out ${file}: ${status === null ? 'too slow' : `it fails without a mutant (${said})`}`)
    return []
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(
  file: string,
  env: Readonly<Record<string, string>>,
  timeout: number,
): ReturnType<typeof spawnSync> {
  const hook = pathToFileURL(join(root, 'scripts/mutation-hook.ts')).href
  const reporter = join(root, 'scripts/first-failure.ts')
  return spawnSync(
    process.execPath,
    [
      ...process.execArgv,
      `--import=${hook}`,
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      join(root, file),
    ],
    {
      cwd: root,
      env: { ...process.env, ...services.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    },
  )
}

/** Why no test noticed a mutant; undefined when one did, by failing or by not ending. */
function survives({ file, source, mutant }: Placed, tests: readonly TestFile[]): string | undefined {
  if (readFileSync(join(root, file), 'utf8') !== source)
    throw new Error(`${file} was changed during the run: its mutants are no longer where they were`)
  const url = pathToFileURL(join(root, file)).href
  const reaching = tests
    .filter(({ ran }) => ran(url, mutant.reachedAt ?? mutant.start))
    .sort((a, b) => a.milliseconds - b.milliseconds)
  if (reaching.length === 0) return 'no test gets here'
  const env = { MUTANT_URL: url, MUTANT: JSON.stringify(mutant), NODE_COMPILE_CACHE: compiled }
  const fails = (test: TestFile): boolean =>
    run(test.file, env, Math.round(test.milliseconds) * 3 + SPARE).status !== 0
  const isNoticed = reaching.some(test => fails(test) && (test.milliseconds < STEADY || fails(test)))
  return isNoticed ? undefined : `${reaching.length} test files get here`
}

/**
 * So many of a list, the same ones for the same seed (a linear congruential generator of Numerical Recipes).
 */
function drawn(all: readonly Placed[], count: number, seed: number): readonly Placed[] {
  const left = [...all]
  const chosen: Placed[] = []
  let state = seed >>> 0
  while (chosen.length < count && left.length > 0) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    chosen.push(...left.splice(Math.floor((state / 2 ** 32) * left.length), 1))
  }
  return chosen
}

function placeOf({ file, source, mutant }: Placed): string {
  const before = source.slice(0, mutant.start)
  return `${file}:${before.split('\n').length}`
}

/** Whether a mutant is in a file, or on a line of it: `src/throttle.ts`, `src/throttle.ts:120`. */
function isAt(placed: Placed, place: string): boolean {
  return /:\d+$/.test(place) ? placeOf(placed).endsWith(place) : placed.file.endsWith(place)
}

/** Why no test can or should notice a mutant; undefined when nobody has said. */
function explanationOf({ file, source, mutant }: Placed): string | undefined {
  const begin = source.lastIndexOf('\n', mutant.start - 1) + 1
  const line = source.slice(begin, source.indexOf('\n', mutant.start)).trim()
  return EXPLAINED_MUTANTS.find(
    other => other.file === file && other.line === line && (other.what ?? mutant.what) === mutant.what,
  )?.because
}
