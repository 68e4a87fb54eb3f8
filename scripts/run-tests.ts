import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { startServices } from '../test/services.ts'
import { ensureModules } from './bundled-modules.ts'
import { runTestFiles } from './run-test-files.ts'
import { groupsOf } from './test-groups.ts'
import { root } from './workspace.ts'

/**
 * Many times what the slowest file takes: one that has not ended by then never would. Long forms run for up
 * to half an hour on a busy machine.
 */
const isLongForm = process.env['POSTERN_TEST_LONG'] === '1'
const FILE_LIMIT_MS = isLongForm ? 3_600_000 : 300_000

/**
 * Whether a file may run for a minute: those that start gateways and command lines. They come first, so that
 * no lane begins one when the others are done.
 */
function isLong(file: string): boolean {
  return /^(?:packages\/(?:cli|postern|vault)|scripts|test)\//.test(file)
}

export interface TestRunOptions {
  /** Flags of node's own runner. With one it is node that runs the files. */
  readonly flags?: readonly string[]
  /** Called after each file with the folder of what `NODE_V8_COVERAGE` wrote of its processes. */
  readonly coverage?: (folder: string) => void
}

/**
 * Brings up PostgreSQL and Redis, hands their addresses to the tests, runs them and takes the servers down.
 * @param patterns only the test files whose path contains one of them; none: every file
 * @returns the code to exit with
 */
export async function runTests(patterns: readonly string[], options: TestRunOptions = {}): Promise<number> {
  const files = globSync(
    [
      'packages/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'scripts/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    { cwd: root },
  )
    .filter(file => !file.includes('node_modules'))
    .filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern)))
    .sort((a, b) => Number(isLong(b)) - Number(isLong(a)) || (a < b ? -1 : 1))
  if (files.length === 0) {
    console.error(`No test file matches ${patterns.join(' ')}.`)
    return 2
  }
  // Long files wait for servers, clocks and browsers: a lane more than cores, and one of short files beside
  // them, keep the cores busy.
  const lanes = availableParallelism() + 1
  const services = await startServices()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void services.stop().finally(() => process.exit(130)))
  try {
    const { flags = [], coverage } = options
    if (flags.length > 0) return await withNode(files, flags, { lanes, env: services.env })
    // Tests start the command line hundreds of times from its sources. Coverage of cached code is inexact.
    const compiled = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') }
    if (coverage === undefined) await ensureModules()
    // Coverage is counted by file, and long forms take long.
    const areTogether = coverage === undefined && !isLongForm
    return await runTestFiles(areTogether ? groupsOf(files) : files.map(file => [file]), {
      built: coverage === undefined,
      env: coverage === undefined ? { ...services.env, ...compiled } : services.env,
      limit: FILE_LIMIT_MS,
      lanes,
      lanesFromEnd: 1,
      ...(coverage !== undefined && { coverage }),
    })
  } finally {
    await services.stop()
  }
}

function withNode(
  files: readonly string[],
  flags: readonly string[],
  { lanes, env }: { readonly lanes: number; readonly env: Readonly<Record<string, string>> },
): Promise<number> {
  const options = ['--test', `--test-timeout=${FILE_LIMIT_MS}`, `--test-concurrency=${lanes}`, ...flags]
  const runner = spawn(process.execPath, [...process.execArgv, ...options, ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return new Promise(resolve => runner.once('exit', status => resolve(status ?? 1)))
}
