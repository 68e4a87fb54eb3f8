import { spawnSync } from 'node:child_process'

export interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

/**
 * Runs every step, prints which failed, and returns the exit code: all findings at once beat one at a time.
 */
export function runSteps(steps: readonly Step[]): number {
  const failed: string[] = []
  for (const { name, command } of steps) {
    const started = performance.now()
    const result = spawnSync(command[0], command.slice(1), { stdio: 'inherit' })
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    console.log(`${result.status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
    if (result.status !== 0) failed.push(name)
  }
  if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}
