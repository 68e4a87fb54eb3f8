const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EACCES: 'may not be used by this user (ports below 1024 need the right to bind them)',
  EADDRNOTAVAIL: 'is no address of this machine',
}

/** A place to listen that could not be had. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse'
  /** The operating system's word, e.g. `EADDRINUSE`. */
  readonly code: string
  readonly mend: string

  private constructor(message: string, code: string, mend: string, cause: unknown) {
    super(message, { cause })
    this.code = code
    this.mend = mend
  }

  /** The error in our words when it is about a place to listen; any other as it is. */
  static explain(error: unknown, host: string, port: number, option: string): unknown {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const problem = PROBLEMS[code]
    if (problem === undefined) return error
    return new PortInUse(
      `${host}:${port} ${problem}`,
      code,
      `stop it, or choose another place with ${option}, e.g. ${option} ${port + 1}`,
      error,
    )
  }
}
