// Emits what is published: types and ES modules, into every package's dist. See bundle.ts.
import { copyFileSync, globSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runSteps } from './run-steps.ts'

for (const dist of globSync('packages/*/dist')) rmSync(dist, { recursive: true })
// npm publishes what stands in the package's own folder.
for (const manifest of globSync('packages/*/package.json'))
  copyFileSync('LICENSE', join(dirname(manifest), 'LICENSE'))
process.exit(
  runSteps([
    {
      name: 'types',
      command: [
        'node_modules/.bin/tsc',
        '-b',
        'tsconfig.build.json',
        '--emitDeclarationOnly',
        '--declarationMap',
        'false',
      ],
    },
    {
      name: 'types of optional packages',
      command: [process.execPath, ...process.execArgv, 'scripts/optional-types.ts'],
    },
    { name: 'modules', command: [process.execPath, ...process.execArgv, 'scripts/bundle.ts'] },
    {
      name: 'page of the console',
      command: [process.execPath, ...process.execArgv, 'scripts/build-page.ts'],
    },
    {
      name: 'entries for CommonJS',
      command: [process.execPath, ...process.execArgv, 'scripts/commonjs-entries.ts'],
    },
  ]),
)
