import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMemoryOnly } from '@postern/config'
import { checkDataContent } from '@postern/store'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

const LOW_SPACE = 512 * 1_048_576

/** Whether the data directory is ours alone, writable, and has room. Creates nothing. */
export function checkDataDirectory(path: string): DoctorFinding {
  const check = 'data directory'
  if (isMemoryOnly(path)) return ok(check, 'none (dataDirectory: false): nothing is kept on disk')
  const nearest = nearestExisting(path)
  const exists = nearest === path
  if (exists && !statSync(path).isDirectory())
    return bad(check, `${path} is a file`, 'name a directory as dataDirectory')
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK)
  } catch {
    return bad(
      check,
      `${nearest} cannot be written by this user`,
      'give the user of Postern the right to write there, or set dataDirectory',
    )
  }
  const content = exists ? contentProblem(path) : undefined
  if (content !== undefined) return bad(check, content, 'no server starts on it as it is')
  const owner = exists ? statSync(path).uid : undefined
  const self = process.geteuid?.()
  if (owner !== undefined && self !== undefined && self !== 0 && owner !== self)
    return bad(
      check,
      `${path} belongs to user ${owner}, and this is user ${self}`,
      'run as its owner, or name another directory',
    )
  if (exists && process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    return warn(check, `${path} can be read by other users`, `chmod 700 ${path}`)
  const { bavail, bsize } = statfsSync(nearest)
  if (bavail * bsize < LOW_SPACE)
    return warn(
      check,
      `only ${Math.floor((bavail * bsize) / 1_048_576)} MiB are free for ${path}`,
      'free some space: a full disk stops the audit log',
    )
  return ok(check, exists ? path : `${path} will be created`)
}

/** What keeps a server from opening the directory: the same sentence. */
function contentProblem(path: string): string | undefined {
  try {
    checkDataContent(path)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function nearestExisting(path: string): string {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}
