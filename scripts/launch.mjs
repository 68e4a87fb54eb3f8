// Starts scripts/TASK.ts under Node 24 with the sources of the workspace, whatever Node started this file.
// Plain JavaScript for Node 20: it is what a fresh clone runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const installed = join(root, 'node_modules', '.package-lock.json')
const lock = join(root, 'package-lock.json')

function isInstalled() {
  return existsSync(installed) && statSync(installed).mtimeMs + 60_000 >= statSync(lock).mtimeMs
}

if (!isInstalled()) {
  console.error('postern: installing dependencies (npm ci) ...')
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) {
    console.error('postern: npm ci failed; its output above says why.')
    process.exit(1)
  }
}

const node24 = join(root, 'node_modules', '.bin', 'node')
const runtime =
  Number(process.versions.node.split('.')[0]) >= 24 || !existsSync(node24) ? process.execPath : node24
const [task, ...args] = process.argv.slice(2)
const child = spawn(
  runtime,
  [
    '--conditions=@postern/source',
    '--disable-warning=ExperimentalWarning',
    join(root, 'scripts', `${task}.ts`),
    ...args,
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: `${dirname(node24)}:${process.env.PATH}` } },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1))
})
