import { availableParallelism } from 'node:os'
import type { CompiledConfig } from '@postern/config'
import { type DoctorFinding, ok, warn } from './finding.ts'

/** What a process has open besides connections: databases, the log, its threads. */
const OWN = 200

/**
 * Whether a process may open as many files and sockets as the gateway accepts connections: beyond that the
 * system resets clients, and nothing else says why.
 * @param allowed `openDescriptors()`
 * @param threads that `workers: auto` means
 */
export function checkDescriptors(
  { caps, workers }: Pick<CompiledConfig, 'caps' | 'workers'>,
  allowed: number | undefined,
  threads: number = availableParallelism(),
): DoctorFinding {
  const check = 'open files'
  const each = caps.connections + caps.upstreamConnections
  const needed = each * (workers === 'auto' ? threads : workers) + OWN
  if (allowed === undefined || allowed >= needed) return ok(check, `${allowed ?? 'any number'} at once`)
  return warn(
    check,
    `${allowed} at once (ulimit -n), fewer than the connections that caps allows`,
    `allow ${needed} (LimitNOFILE in systemd, ulimits in Docker), or lower caps.connections`,
  )
}

/** How many files and sockets this process may open: Node raises that to the hard limit. Undefined: any. */
export function openDescriptors(): number | undefined {
  // The environment would be in the report.
  process.report.excludeEnv = true
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const allowed = userLimits?.open_files?.soft
  return typeof allowed === 'number' ? allowed : undefined
}
