// Runs every test of the workspace: brings up PostgreSQL and Redis, hands their addresses to the tests, and
// takes them down again. `npm test -- PATTERN ...` runs only the test files whose path contains one of the
// patterns. Prints a line for each file, all that a failing file printed, and at the end what failed, what
// was skipped and which files took longest.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { startServices } from '../test/services.ts'
import { runTestFiles } from './run-test-files.ts'
import { root } from './workspace.ts'

/** Many times what the slowest file takes: one that has not ended by then never would. */
const FILE_LIMIT_MS = 300_000

const patterns = process.argv.slice(2).filter(argument => !argument.startsWith('-'))
const flags = process.argv.slice(2).filter(argument => argument.startsWith('-'))
const files = globSync([
  'packages/*/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'scripts/test/**/*.test.ts',
  'test/**/*.test.ts',
])
  .filter(file => !file.includes('node_modules'))
  .filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern)))
  .sort()
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}.`)
  process.exit(2)
}

// Many files wait for servers and clocks most of the time: on two cores one at a time would leave both idle.
const lanes = Math.max(2, availableParallelism() - 1)
const services = await startServices()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void services.stop().finally(() => process.exit(130)))
const code = flags.length > 0 ? await withNode() : await allFiles()
await services.stop()
process.exit(code)

/** With flags of node's own runner (coverage needs all files in one run) it is node that runs them. */
function withNode(): Promise<number> {
  const options = ['--test', `--test-timeout=${FILE_LIMIT_MS}`, `--test-concurrency=${lanes}`, ...flags]
  const runner = spawn(process.execPath, [...process.execArgv, ...options, ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...services.env },
  })
  return new Promise(resolve => runner.once('exit', status => resolve(status ?? 1)))
}

async function allFiles(): Promise<number> {
  // Tests start the command line dozens of times from its sources: compiled once, it starts in half the time.
  const env = { ...services.env, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') }
  return await runTestFiles(files, { env, limit: FILE_LIMIT_MS, lanes })
}
