import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What root does to a data directory is done as the account that the service runs as: files that root makes
 * there, such as the next segment of the log, that account could not open, and it would not start again.
 * The format file says who that is; where root runs the service itself, nothing changes. Nor does it where
 * that account cannot read this installation (`sudo npx postern`), which is loaded as it is needed.
 * @returns whether root would leave files that the account cannot open
 */
export function actAsOwnerOf(dataDirectory: string): 'ours' | 'of another' {
  const owner = ownerOf(dataDirectory)
  if (process.geteuid?.() !== 0 || owner === undefined || owner.uid === 0) return 'ours'
  const before = { groups: process.getgroups?.() ?? [], gid: process.getegid?.() ?? 0 }
  process.setgroups?.([owner.gid])
  process.setegid?.(owner.gid)
  process.seteuid?.(owner.uid)
  if (canRead(new URL('../../package.json', import.meta.url))) return 'ours'
  process.seteuid?.(0)
  process.setegid?.(before.gid)
  process.setgroups?.(before.groups)
  return 'of another'
}

/** By opening it: `access` asks about the account that started the process. */
function canRead(path: URL): boolean {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch {
    return false
  }
}

/** Who made a data directory. */
export function ownerOf(dataDirectory: string): { readonly uid: number; readonly gid: number } | undefined {
  try {
    return statSync(join(dataDirectory, 'postern-data.json'), { throwIfNoEntry: false })
  } catch {
    // It is something else: whoever opens it says so.
    return undefined
  }
}

/**
 * Runs something as whoever started the process: files that they named, or the configuration, may be theirs
 * alone.
 */
export function asStarter<T>(work: () => T): T {
  const [acting, starter] = [process.geteuid?.(), process.getuid?.()]
  if (acting === undefined || starter === undefined || acting === starter) return work()
  process.seteuid?.(starter)
  try {
    return work()
  } finally {
    process.seteuid?.(acting)
  }
}
