// `npm run test:coverage`: every test as `npm test` runs them, and how much of each package they run, in
// every process and thread that they start. Fails when a package is below its floor in
// coverage-floors.json. With names of packages, or patterns as `npm test` takes them, it shows what those
// files run and holds no floor; `--missed` lists the lines and branches that they do not.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CoverageRecord } from './coverage-record.ts'
import { belowFloor, type Coverage, coverageByPackage, lineRanges } from './coverage-table.ts'
import { runTests } from './run-tests.ts'
import { packages, root } from './workspace.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { missed: { type: 'boolean', default: false } },
})
const names = new Set(packages().map(({ folder }) => folder.slice('packages/'.length)))
const named = positionals.filter(name => names.has(name))
const sources = globSync(`packages/${named.length === 0 ? '*' : `{${named.join(',')},}`}/src/**/*.ts`, {
  cwd: root,
})
  .filter(file => !file.endsWith('.d.ts'))
  .sort()
const record = new CoverageRecord(root, sources)
const patterns = positionals.map(name => (names.has(name) ? `packages/${name}/test/` : name))
const code = await runTests(patterns, { coverage: folder => record.add(folder) })

const files = record.files()
const reached = coverageByPackage(files)
if (values.missed)
  for (const { file, linesHit, missed, missedBranches } of files)
    if (positionals.length === 0 || linesHit > 0)
      if (missed.length + missedBranches.length > 0)
        console.log(
          `${file}: lines ${lineRanges(missed) || 'none'}; branches at ${lineRanges(missedBranches)}`,
        )
console.log('\npackage        lines  branches')
for (const [name, { lines, branches }] of [...reached].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`${name.padEnd(12)}${lines.toFixed(1).padStart(8)}${branches.toFixed(1).padStart(10)}`)
const floors = JSON.parse(readFileSync(join(root, 'scripts/coverage-floors.json'), 'utf8')) as Readonly<
  Record<string, Coverage>
>
const problems = positionals.length > 0 ? [] : belowFloor(reached, floors)
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : code)
