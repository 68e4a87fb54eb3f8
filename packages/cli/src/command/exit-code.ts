import {
  BudgetExceeded,
  ConfigError,
  CredentialError,
  errorCode,
  IntegrityError,
  StoreError,
} from '@postern/core'

/** What the command line answers to the shell. Part of the interface: scripts rely on it. */
export const EXIT = {
  /** Done; for a check, nothing was wrong. */
  done: 0,
  /** The command worked and the answer is no: not verified, not found, a check that failed. */
  no: 1,
  /** The command line, a file it names, a credential or the configuration is wrong. */
  usage: 2,
  /** Something outside is not there: a store, a port, a running gateway. */
  unavailable: 3,
  /** Data is not what was written; someone has to look. */
  integrity: 4,
  /** A mistake in Postern itself. */
  bug: 70,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const UNAVAILABLE: ReadonlySet<string> = new Set([
  'EADDRINUSE',
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENOSPC',
  'EROFS',
  'EPERM',
])

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof CredentialError) return EXIT.usage
  if (error instanceof BudgetExceeded) return EXIT.no
  if (error instanceof StoreError) return EXIT.unavailable
  if (error instanceof IntegrityError) return EXIT.integrity
  const code = errorCode(error)
  if (code !== undefined && UNAVAILABLE.has(code)) return EXIT.unavailable
  if (code === 'ENOENT' || code === 'EISDIR') return EXIT.usage
  return EXIT.bug
}
