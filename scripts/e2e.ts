// `npm run e2e [-- PATTERN | --short]`: installs the applications of e2e/ once and runs its suites. The short
// form, for every change, is what needs none of those applications and takes a minute or two: the stories of
// the example shop, and sqlmap against sinks.
import { globSync } from 'node:fs'
import { ensureInstalled } from './ensure-installed.ts'
import { runTestFiles } from './run-test-files.ts'
import { root } from './workspace.ts'

const SHORT = /\/(?:shop-[a-z]+|stolen-session|vulnerable-applications)\.test\.ts$/

/** Some suites install applications and browse them for minutes. */
const FILE_LIMIT_MS = 900_000

const given = process.argv.slice(2)
const isShort = given.includes('--short')
const patterns = given.filter(argument => argument !== '--short')
const files = globSync('e2e/*.test.ts', { cwd: root })
  .filter(file => !isShort || SHORT.test(file))
  .filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern)))
  .sort()
if (files.length === 0) {
  console.error(`e2e: no suite has ${patterns.join(' or ')} in its name`)
  process.exit(1)
}
if (!isShort) ensureInstalled('e2e')
const groups = files.map(file => [file])
// The long form installs applications and starts them at ports of their own choice: one after the other.
process.exit(await runTestFiles(groups, { env: {}, limit: FILE_LIMIT_MS, lanes: isShort ? 2 : 1 }))
