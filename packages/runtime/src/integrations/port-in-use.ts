import { errorCode, urlHost } from '@postern/core'
import { portHolder } from './port-holder.ts'

const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user (ports below 1024 need the right to bind them)',
  EADDRNOTAVAIL: 'is not an address of this machine',
  EAFNOSUPPORT: 'is of a kind of address that this machine does not use',
  ENOTFOUND: 'is neither an address nor a name that this machine knows',
  EAI_AGAIN: 'is neither an address nor a name that this machine knows',
}

/** Of a Unix socket: what is wrong, and what to do. The system says EACCES for a missing folder too. */
const SOCKET_PROBLEMS: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  EADDRINUSE: ['is in use by another process, or is another file', 'stop it, or choose another path'],
  EACCES: [
    'cannot be made: its folder does not exist, or this user may not write to it',
    'choose a folder of this user, e.g. the one that RuntimeDirectory= of systemd makes',
  ],
}

/** An address to listen on that is not available. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse'
  /** The operating system's word, e.g. `EADDRINUSE`. */
  readonly code: string
  readonly hint: string

  private constructor(message: string, code: string, hint: string, cause: unknown) {
    super(message, { cause })
    this.code = code
    this.hint = hint
  }

  /** The error in our words when it is about a place to listen; any other as it is. */
  static explain(error: unknown, host: string, port: number, option: string): unknown {
    const code = errorCode(error) ?? ''
    const problem = PROBLEMS[code]
    if (problem === undefined) return error
    const [socketProblem, hint] = (host.startsWith('unix:') && SOCKET_PROBLEMS[code]) || []
    if (socketProblem !== undefined) return new PortInUse(`${host} ${socketProblem}`, code, hint ?? '', error)
    const place = `${urlHost(host)}:${port}`
    const other = `${option} ${port < 65_535 ? port + 1 : 8080}`
    if (code !== 'EADDRINUSE')
      return new PortInUse(`${place} ${problem}`, code, elsewhere(code, option, port), error)
    const holder = portHolder(port)
    const stop = holder === undefined ? 'stop it' : `stop it (kill ${holder.pid})`
    return new PortInUse(
      `${place} is in use by ${nameOf(holder)}`,
      code,
      `${stop}, or choose another place, e.g. ${other}`,
      error,
    )
  }
}

function elsewhere(code: string, option: string, port: number): string {
  if (code === 'EACCES')
    return `use ${option} 8080 with something in front, or give the right: setcap cap_net_bind_service=+ep NODE, AmbientCapabilities in systemd`
  return `choose an address of this machine, e.g. ${option} 127.0.0.1:${port}, or 0.0.0.0:${port} for all of them`
}

function nameOf(holder: ReturnType<typeof portHolder>): string {
  if (holder === undefined) return 'another process'
  const { pid, program, dataDirectory } = holder
  if (dataDirectory !== undefined) return `another Postern (process ${pid}, data in ${dataDirectory})`
  return `another process (${pid}, ${program})`
}
