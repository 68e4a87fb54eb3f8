// Types, lint, floors, prose, unused exports, the published shape of every package, and that what is packed
// works.
import { existsSync } from 'node:fs'
import { runSteps, type Step } from './run-steps.ts'

const node = [process.execPath, ...process.execArgv] as [string, ...string[]]
/** Folders with a lock file of their own are checked where their dependencies are installed. */
const installed: Step[] = []
for (const folder of ['bench', 'e2e']) {
  if (existsSync(`${folder}/node_modules`)) {
    installed.push({
      name: `types of ${folder}`,
      command: ['node_modules/.bin/tsc', '-p', `${folder}/tsconfig.json`],
    })
  } else console.log(`--   types of ${folder}: its dependencies are not installed (npm ci in ${folder}/)`)
}

process.exit(
  runSteps([
    { name: 'types', command: ['node_modules/.bin/tsc', '-p', 'tsconfig.json'] },
    {
      name: 'types of the console page',
      command: ['node_modules/.bin/tsc', '-p', 'packages/console/page/tsconfig.json'],
    },
    ...installed,
    { name: 'lint and format', command: ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.'] },
    { name: 'floors', command: [...node, 'scripts/check-floors.ts'] },
    { name: 'import circles', command: [...node, 'scripts/check-circles.ts'] },
    { name: 'tests that cannot fail', command: [...node, 'scripts/check-tests.ts'] },
    { name: 'state of modules', command: [...node, 'scripts/check-module-state.ts'] },
    { name: 'sizes', command: [...node, 'scripts/check-sizes.ts'] },
    { name: 'prose', command: [...node, 'scripts/check-prose.ts'] },
    { name: 'configuration reference', command: [...node, 'scripts/docs.ts', '--check'] },
    { name: 'library reference', command: [...node, 'scripts/check-api.ts'] },
    { name: 'unused exports', command: [...node, 'scripts/check-exports.ts'] },
    { name: 'build', command: [...node, 'scripts/build.ts'] },
    { name: 'package shape', command: [...node, 'scripts/check-packages.ts'] },
    { name: 'packed packages', command: [...node, 'scripts/check-packed.ts'] },
  ]),
)
