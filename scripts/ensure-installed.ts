import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.ts'

/**
 * Runs `npm ci` in a folder that has a lock file of its own, unless it is installed as
 * locked. Ends the process when that fails.
 */
export function ensureInstalled(folder: string): void {
  const stamp = join(root, folder, 'node_modules/.package-lock.json')
  const lock = join(root, folder, 'package-lock.json')
  if (existsSync(stamp) && statSync(stamp).mtimeMs + 60_000 >= statSync(lock).mtimeMs) return
  console.error(`${folder}: installing its dependencies (npm ci in ${folder}/) ...`)
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: join(root, folder),
    stdio: ['ignore', 2, 2],
  })
  if (npm.status !== 0) process.exit(npm.status ?? 1)
}
