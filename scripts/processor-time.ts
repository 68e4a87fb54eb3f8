import { readFileSync } from 'node:fs'

/**
 * Seconds of processor time, user and system, of this process with its threads and of each process that it
 * started and that has ended; without the latter where there is no /proc. Servers that several processes
 * share are not among them.
 */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000 + secondsOfChildren()
}

/** `cutime` and `cstime` of proc_pid_stat(5), which Linux gives in hundredths of a second. */
function secondsOfChildren(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // The name before the other fields may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) / 100
  } catch {
    return 0
  }
}
