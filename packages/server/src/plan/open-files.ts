import { readFileSync } from 'node:fs'
import type { CompiledCaps } from '@postern/config'
import { FILES_OF_BACKEND_CONNECTION } from '@postern/gateway'

/**
 * Files that a process with its stores, log and listeners has open,
 * and those of a thread; twice what they need.
 */
const FILES_OF_PROCESS = 80
const FILES_OF_THREAD = 16
/** The part of what is left that connections to the backend may take. */
const BACKEND_PART = 1 / 3
const LEAST_CONNECTIONS = 8
/** Client connections of a thread below which somebody should raise the limit. */
const FEW = 1_000

/**
 * How many files, and so connections, the operating system lets this process open; undefined where it does
 * not say. Node raises its own limit to the highest allowed one when it starts.
 */
export function openFileLimit(): number | undefined {
  try {
    const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return found === null ? undefined : Number(found[1])
  } catch {
    return reportedLimit()
  }
}

/** Of a system without `/proc`: slower, so it is not asked on Linux. */
function reportedLimit(): number | undefined {
  // The environment would be in the report, and it would look up the names of peers.
  Object.assign(process.report, { excludeEnv: true, excludeNetwork: true })
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const allowed = userLimits?.open_files?.soft
  return typeof allowed === 'number' ? allowed : undefined
}

/**
 * Caps that the operating system can keep. Beyond its limit it is the kernel that resets connections, and the
 * log and stores that cannot open their files: whoever can open connections could stop the log.
 * @param files that the process may have open; undefined for no limit
 */
export function fittedCaps(caps: CompiledCaps, threads: number, files: number | undefined): CompiledCaps {
  if (files === undefined) return caps
  const each = Math.floor((files - FILES_OF_PROCESS) / threads) - FILES_OF_THREAD
  const { connections, upstreamConnections } = caps
  if (each >= connections + upstreamConnections * FILES_OF_BACKEND_CONNECTION) return caps
  const most = Math.floor((each * BACKEND_PART) / FILES_OF_BACKEND_CONNECTION)
  const backend = Math.max(1, Math.min(upstreamConnections, most))
  const left = each - backend * FILES_OF_BACKEND_CONNECTION
  const fitted = Math.max(LEAST_CONNECTIONS, Math.min(connections, left))
  return { ...caps, connections: fitted, upstreamConnections: backend }
}

/** What to tell the operator when the limit leaves few connections; undefined when it does not. */
export function fewFilesSentence(
  caps: CompiledCaps,
  threads: number,
  files: number | undefined,
): string | undefined {
  const { connections } = fittedCaps(caps, threads, files)
  if (connections >= Math.min(FEW, caps.connections)) return undefined
  const where = threads > 1 ? ` on each of ${threads} threads` : ''
  return `this process may have ${files} files open, which is enough for ${connections} connections of clients${where}; more are closed at once`
}

/** How to let a process open more files. */
export const MORE_FILES_HINT =
  'raise the limit: ulimit -n 65536 before the start, LimitNOFILE=65536 in a systemd unit, --ulimit nofile=65536 of Docker'
