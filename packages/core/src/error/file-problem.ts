import { errorCode } from './error-code.ts'

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'does not exist: a part of its path is a file',
  EACCES: 'cannot be read: the user this process runs as has no permission',
  EPERM: 'cannot be read: the user this process runs as has no permission',
  ELOOP: 'is a symbolic link to itself',
  ENAMETOOLONG: 'is too long for a path',
}

/**
 * Why a file that somebody named cannot be read, to be put behind its path: `does not exist`.
 * @param error what `readFile` or `stat` threw
 */
export function fileProblem(error: unknown): string {
  const code = errorCode(error) ?? 'error'
  return PROBLEMS[code] ?? `cannot be read (${code})`
}

/** How to fix it, for a file that a configuration names. */
export const FILE_HINT = 'a path is relative to the folder of the configuration'
