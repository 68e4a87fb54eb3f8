// `npm run bench -- NAME [--quick] [--json]`: installs the peers of bench/ once and runs bench/NAME.ts.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ensureInstalled } from './ensure-installed.ts'
import { root } from './workspace.ts'

const [name, ...args] = process.argv.slice(2)
const names = globSync('bench/*.ts', { cwd: root })
  .map(file => basename(file, '.ts'))
  .sort()
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--quick] [--json]\nbenchmarks: ${names.join(', ')}`)
  process.exit(2)
}
ensureInstalled('bench')
const run = spawn(
  process.execPath,
  [...process.execArgv, '--expose-gc', join(root, 'bench', `${name}.ts`), ...args],
  // A benchmark ends when this channel closes (bench/support/harness.ts), also when this process is killed.
  { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => run.kill(signal))
run.on('exit', code => process.exit(code ?? 1))
