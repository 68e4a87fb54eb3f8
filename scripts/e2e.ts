// `npm run e2e [-- PATTERN]`: installs the applications of e2e/ once and runs its suites.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled } from './ensure-installed.ts'
import { root } from './workspace.ts'

const patterns = process.argv.slice(2)
const files = globSync('e2e/*.test.ts', { cwd: root })
  .filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern)))
  .sort()
ensureInstalled('e2e')
const run = spawnSync(
  process.execPath,
  [...process.execArgv, '--test', '--test-concurrency=1', ...files.map(file => join(root, file))],
  { stdio: 'inherit', cwd: root },
)
process.exit(run.status ?? 1)
