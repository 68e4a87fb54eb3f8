import { errorCode } from './error-code.ts'

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'does not exist: a part of its path is a file',
  EACCES: 'cannot be read: the user this process runs as has no permission',
  EPERM: 'cannot be read: the user this process runs as has no permission',
  ELOOP: 'is a symbolic link to itself',
  ENAMETOOLONG: 'is too long for a path',
  EMFILE: 'cannot be read: this process may open no more files (raise ulimit -n, or LimitNOFILE= of systemd)',
}

/** What keeps a process from writing its own files while it runs, and what to do. */
const WRITE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota of the user it runs as is used up; free some space, or raise the quota',
  EFBIG: 'the process may not write a file that large; raise ulimit -f, or LimitFSIZE= of systemd',
  EROFS:
    'the file system is read-only; after an error the kernel makes it so, and its log (dmesg) says which',
  EMFILE: 'the process may open no more files; raise ulimit -n, or LimitNOFILE= of systemd',
  ENFILE: 'the machine has no more open files to give; raise fs.file-max',
  EACCES: 'the user it runs as may not write there; give it the directory with its files (chown)',
  EPERM: 'the user it runs as may not write there; give it the directory with its files (chown)',
  EIO: 'the disk reported an error; the log of the kernel (dmesg) says which',
  ENOENT: 'the file or its directory was deleted',
  ESTALE: 'the network file system lost the file; use a local disk',
}

/**
 * Why a file that somebody named cannot be read, to be put behind its path: `does not exist`.
 * @param error what `readFile` or `stat` threw
 */
export function fileProblem(error: unknown): string {
  const code = errorCode(error) ?? 'error'
  return PROBLEMS[code] ?? `cannot be read (${code})`
}

/**
 * Why a process cannot write a file of its own, with what to do, to be put behind what it could not do:
 * `the disk is full; free some space (ENOSPC)`.
 * @param error what the file system threw
 */
export function writeProblem(error: unknown): string {
  const code = errorCode(error) ?? 'unknown error'
  const problem = WRITE_PROBLEMS[code]
  return problem === undefined ? code : `${problem} (${code})`
}

/** How to fix it, for a file that a configuration names. */
export const FILE_HINT = 'a path is relative to the folder of the configuration'
