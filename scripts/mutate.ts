// `npm run mutate -- PACKAGE[/FOLDER] [--tests MORE,PACKAGES] [--count 100] [--seed 1]`: changes a sample of
// places in the source, one at a time, and runs the tests that reach the place. What no test notices is
// listed; the score is the share noticed.
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startServices } from '../test/services.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import { type RanPlaces, ranPlaces } from './test-coverage-map.ts'
import { root } from './workspace.ts'

const { positionals, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    tests: { type: 'string', default: '' },
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
})
const [target = '', ...more] = positionals
const [name = '', ...inside] = target.split('/')
const sources = globSync(join('packages', name, 'src', ...inside, '**/*.ts'), { cwd: root }).filter(
  file => !/index\.ts$|\.sql\.ts$/.test(file),
)
if (name === '' || more.length > 0 || sources.length === 0) {
  console.error(
    'usage: npm run mutate -- PACKAGE[/FOLDER] [--tests MORE,PACKAGES] [--count 100] [--seed 1], e.g. inspect/rules',
  )
  process.exit(2)
}

interface Placed {
  readonly file: string
  readonly mutant: Mutant
}

interface TestFile {
  readonly file: string
  readonly milliseconds: number
  readonly ran: RanPlaces
}

/** A test file that takes longer is left out: each of its mutants would take as long. */
const SLOWEST_FILE = 120_000
const SPARE = 10_000

const services = await startServices()
try {
  const folders = [name, ...values.tests.split(',').filter(folder => folder !== '')]
  const tests = globSync(
    folders.map(folder => `packages/${folder}/test/**/*.test.ts`),
    { cwd: root },
  )
    .sort()
    .flatMap(measured)
  const sample = drawn(
    sources.flatMap(file =>
      mutantsOf(readFileSync(join(root, file), 'utf8')).map(mutant => ({ file, mutant })),
    ),
    Number(values.count),
    Number(values.seed),
  )
  let noticed = 0
  for (const [index, placed] of sample.entries()) {
    const reason = survives(placed, tests)
    if (reason === undefined) noticed++
    else console.log(`survived ${placeOf(placed)}: ${placed.mutant.what} (${reason})`)
    if (index % 25 === 24) console.log(`... ${noticed} of ${index + 1} noticed`)
  }
  const score = Math.round((noticed / sample.length) * 1_000) / 10
  console.log(`${target}: ${noticed} of ${sample.length} mutants noticed, score ${score} %`)
} finally {
  await services.stop()
}

/** Runs a test file once, for its time and for the places it reaches. */
function measured(file: string): readonly TestFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mutate-'))
  try {
    const started = performance.now()
    const { status } = run(file, { NODE_V8_COVERAGE: folder }, SLOWEST_FILE)
    const milliseconds = performance.now() - started
    if (status === 0) return [{ file, milliseconds, ran: ranPlaces(folder) }]
    console.log(`left out ${file}: ${status === null ? 'too slow' : 'it fails without a mutant'}`)
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
  return spawnSync(process.execPath, [...process.execArgv, `--import=${hook}`, join(root, file)], {
    cwd: root,
    env: { ...process.env, ...services.env, ...env },
    stdio: 'ignore',
    timeout,
  })
}

/** Why no test noticed a mutant; undefined when one did, by failing or by not ending. */
function survives({ file, mutant }: Placed, tests: readonly TestFile[]): string | undefined {
  const url = pathToFileURL(join(root, file)).href
  const reaching = tests
    .filter(({ ran }) => ran(url, mutant.start))
    .sort((a, b) => a.milliseconds - b.milliseconds)
  if (reaching.length === 0) return 'no test gets here'
  const env = { MUTANT_URL: url, MUTANT: JSON.stringify(mutant) }
  const isNoticed = reaching.some(
    test => run(test.file, env, Math.round(test.milliseconds) * 3 + SPARE).status !== 0,
  )
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

function placeOf({ file, mutant }: Placed): string {
  const before = readFileSync(join(root, file), 'utf8').slice(0, mutant.start)
  return `${file}:${before.split('\n').length}`
}
