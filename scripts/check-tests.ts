// Tests that cannot fail, where that can be seen without running them: an assertion that nobody waits for,
// one of a constant, one about a promise where a value is meant, one whose failure is caught and dropped. A
// test in which no assertion runs fails when it is run (count-assertions.ts).
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { parse } from 'acorn'
import { hollowAssertions } from './hollow-assertions.ts'
import { root } from './workspace.ts'

const files = globSync(
  ['packages/*/test/**/*.ts', 'examples/*/test/**/*.ts', 'scripts/test/**/*.ts', 'test/**/*.ts', 'e2e/*.ts'],
  { cwd: root },
).filter(file => !file.includes('node_modules'))
/** What leaves out the flags of a test file, and its test. */
const FLAGS: readonly string[] = ['test/source-flags.ts', 'scripts/test/run-test-file.test.ts']
let found = 0
for (const file of files.sort()) {
  const source = stripTypeScriptTypes(readFileSync(join(root, file), 'utf8'))
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module' })
  for (const { start, problem } of hollowAssertions(tree, source)) {
    console.error(`${file}:${source.slice(0, start).split('\n').length}: ${problem}`)
    found++
  }
  if (!FLAGS.includes(file) && /\bprocess\.execArgv\b/.test(source)) {
    console.error(
      `${file}: a process that a test starts takes SOURCE_FLAGS: with process.execArgv it reports as this test file`,
    )
    found++
  }
}
if (found > 0) process.exit(1)
