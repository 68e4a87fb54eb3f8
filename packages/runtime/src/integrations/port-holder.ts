import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The process that listens on a port. */
export interface PortHolder {
  readonly pid: number
  /** Its program, e.g. `nginx`; never its arguments, which may carry secrets. */
  readonly program: string
  /** Its data directory, when it is a Postern. */
  readonly dataDirectory: string | undefined
}

const LISTENS = '0A'
/** Processes looked at, newest first. */
const MAX_PROCESSES = 4_096

/**
 * Who listens on a TCP port, as far as this user may see: Linux tells it under `/proc`. Undefined elsewhere,
 * for processes of other users, and for those outside of this container.
 */
export function portHolder(port: number): PortHolder | undefined {
  const sockets = new Set(['tcp', 'tcp6'].flatMap(table => listeningSockets(table, port)))
  if (sockets.size === 0) return undefined
  const pids = attempt(() => readdirSync('/proc').filter(name => /^\d+$/.test(name))) ?? []
  for (const pid of pids.sort((a, b) => Number(b) - Number(a)).slice(0, MAX_PROCESSES)) {
    const files = openFiles(pid)
    if (!files.some(file => sockets.has(file))) continue
    const database = files.find(file => basename(file) === 'postern.db')
    return {
      pid: Number(pid),
      program: attempt(() => readFileSync(join('/proc', pid, 'comm'), 'utf8').trim()) ?? 'unknown',
      dataDirectory: database === undefined ? undefined : dirname(database),
    }
  }
  return undefined
}

/**
 * Names of the sockets that listen on a port, as links of open files write them. Layout: proc_net_tcp.txt of
 * the kernel.
 */
function listeningSockets(table: string, port: number): readonly string[] {
  const text = attempt(() => readFileSync(join('/proc/net', table), 'utf8')) ?? ''
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text.split('\n').flatMap(line => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    return state === LISTENS && local.endsWith(wanted) ? [`socket:[${inode}]`] : []
  })
}

function openFiles(pid: string): readonly string[] {
  const folder = join('/proc', pid, 'fd')
  const names = attempt(() => readdirSync(folder)) ?? []
  return names.flatMap(name => attempt(() => readlinkSync(join(folder, name))) ?? [])
}

/** Processes end and belong to others while they are looked at. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
