// Runs every test of the workspace: brings up PostgreSQL and Redis, hands their addresses
// to the tests, takes them down again. `npm test -- PATTERN ...` runs only the test files
// whose path contains one of the patterns.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { startServices } from '../test/services.ts'
import { root } from './workspace.ts'

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

// Tests start the command line dozens of times from its sources: compiled once, it starts in half the time.
// Code from the cache is not counted exactly, so coverage goes without.
const CACHE = flags.includes('--experimental-test-coverage')
  ? {}
  : { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') }
const services = await startServices()
// A file that never ends (a failed test that left a server open) must not hold up the run:
// its name and what hung are shown then.
const LIMIT = '--test-timeout=300000'
// Many files wait for servers and clocks most of the time: on two cores node would run one at a time.
const CONCURRENCY = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`
const REPORTERS = flags.some(flag => flag.startsWith('--test-reporter'))
  ? []
  : [join(root, 'scripts/slowest-files.ts'), 'spec'].flatMap(reporter => [
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
    ])
const options = ['--test', LIMIT, CONCURRENCY, ...REPORTERS, ...flags]
const runner = spawn(process.execPath, [...process.execArgv, ...options, ...files], {
  stdio: 'inherit',
  env: { ...process.env, ...services.env, ...CACHE },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
const code = await new Promise<number>(resolve => runner.on('exit', status => resolve(status ?? 1)))
await services.stop()
process.exit(code)
