// `npm run test:coverage`: every test, and how much of each package they run. Fails when a package is below
// its floor in coverage-floors.json. With patterns, as `npm test` takes them, it only shows what those files
// run.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { belowFloor, type Coverage, coverageByPackage } from './coverage-table.ts'
import { root } from './workspace.ts'

const patterns = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'postern-coverage-'))
const report = join(folder, 'lcov.info')
try {
  const run = spawnSync(
    process.execPath,
    [
      ...process.execArgv,
      join(root, 'scripts/test.ts'),
      '--experimental-test-coverage',
      '--test-coverage-include=packages/*/src/**',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=lcov',
      `--test-reporter-destination=${report}`,
      ...patterns,
    ],
    { cwd: root, stdio: 'inherit' },
  )
  if (!existsSync(report)) process.exit(run.status ?? 1)
  const reached = coverageByPackage(readFileSync(report, 'utf8'))
  console.log('\npackage        lines  branches')
  for (const [name, { lines, branches }] of [...reached].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`${name.padEnd(12)}${lines.toFixed(1).padStart(8)}${branches.toFixed(1).padStart(10)}`)
  const problems = patterns.length > 0 ? [] : belowFloor(reached, floors())
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : (run.status ?? 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function floors(): Readonly<Record<string, Coverage>> {
  return JSON.parse(readFileSync(join(root, 'scripts/coverage-floors.json'), 'utf8')) as Readonly<
    Record<string, Coverage>
  >
}
