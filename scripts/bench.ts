// `npm run bench -- NAME [--json]`: installs the peers of bench/ once and runs bench/NAME.ts.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './workspace.ts'

const [name, ...args] = process.argv.slice(2)
const names = globSync('bench/*.ts', { cwd: root })
  .map(file => basename(file, '.ts'))
  .sort()
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json]\nbenchmarks: ${names.join(', ')}`)
  process.exit(2)
}
const stamp = join(root, 'bench/node_modules/.package-lock.json')
if (
  !existsSync(stamp) ||
  statSync(stamp).mtimeMs + 60_000 < statSync(join(root, 'bench/package-lock.json')).mtimeMs
) {
  console.error('bench: installing the peers (npm ci in bench/) ...')
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: join(root, 'bench'),
    stdio: ['ignore', 2, 2],
  })
  if (npm.status !== 0) process.exit(npm.status ?? 1)
}
const run = spawnSync(
  process.execPath,
  [...process.execArgv, '--expose-gc', join(root, 'bench', `${name}.ts`), ...args],
  {
    stdio: 'inherit',
  },
)
process.exit(run.status ?? 1)
