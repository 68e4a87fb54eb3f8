import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { installPackages } from './install-services.ts'

const PLACE = process.env['POSTERN_PROMTOOL'] ?? '/usr/bin/promtool'

/** What promtool says of a file. */
export interface PromtoolAnswer {
  readonly code: number | null
  readonly text: string
}

/**
 * Runs promtool of Prometheus. As root on Debian it is installed when it is missing.
 * @returns undefined where it is unavailable
 */
export function promtool(...args: readonly string[]): PromtoolAnswer | undefined {
  if (!existsSync(PLACE)) installPackages(['prometheus'])
  if (!existsSync(PLACE)) return undefined
  const { status, stdout, stderr } = spawnSync(PLACE, args, { encoding: 'utf8', timeout: 60_000 })
  return { code: status, text: `${stdout}${stderr}` }
}
