import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, errorCode, fileProblem, systemRandom } from '@postern/core'

/** Bytes that a file with secrets holds at most: 255 keys of a vault take 12,000. */
const MOST_BYTES = 65_536

/** What file systems say that have no hard links: FAT, some of the network. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Creates a file for a secret, mode 0600, at once or not at all: nobody reads half of it, and it survives a
 * power failure once this returns. What is sealed with a key that is lost stays sealed.
 * @returns whether it was created; false when there is a file, which is left as it is
 * @throws what the file system says
 */
export function createSecretFile(path: string, text: string): boolean {
  const draft = `${path}.${Buffer.from(systemRandom.bytes(8)).toString('hex')}`
  writeDraft(draft, text, dirname(path))
  try {
    put(draft, path, text)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  syncDirectory(dirname(path))
  return true
}

function put(draft: string, path: string, text: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!NO_LINKS.has(errorCode(error))) throw error
    writeDraft(path, text, dirname(path))
  }
}

/**
 * Reads a file with a secret that nobody but its owner may read.
 * @param hints what to do where there is no such file, and where there is something else
 * @throws ConfigError when it is missing, no file, readable by others, or larger than 64 KiB
 */
export function readSecretFile(
  path: string,
  hints: { readonly missing: string; readonly notFile: string },
): string {
  const { missing, notFile } = hints
  let handle: number | undefined
  try {
    // What is looked at is what is read, and the other end of a pipe is not waited for.
    handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const { mode, size } = fstatSync(handle)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new ConfigError(noFile(path, notFile))
    if ((mode & 0o077) !== 0 && process.platform !== 'win32')
      throw new ConfigError({ place: path, problem: 'can be read by other users', hint: `chmod 600 ${path}` })
    if (size > MOST_BYTES)
      throw new ConfigError({ place: path, problem: `is larger than ${MOST_BYTES} bytes`, hint: notFile })
    return readFileSync(handle, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = errorCode(error)
    // A socket cannot be opened.
    if (code === 'ENXIO') throw new ConfigError(noFile(path, notFile))
    const hint = code === 'ENOENT' ? missing : undefined
    throw new ConfigError({ place: path, problem: fileProblem(error), ...(hint !== undefined && { hint }) })
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

function noFile(place: string, hint: string): ConstructorParameters<typeof ConfigError>[0] {
  return { place, problem: 'is not a file', hint }
}

/** Replaces a file with a secret as `createSecretFile` creates one: it is the old one or the new one. */
export function replaceSecretFile(path: string, text: string): void {
  const draft = `${path}.new`
  // A draft left by a crash, or a link that somebody put there to have us write elsewhere.
  rmSync(draft, { force: true })
  writeDraft(draft, text, path)
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** Makes what was created, renamed and removed in a directory survive a power failure. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Gives a file that root makes to whoever has another one: what an operator writes as root, the account that
 * the service runs as must still be able to read. Does nothing for anybody else.
 * @param handle of a file that was created just now, not of a link
 * @param like a file or directory of that account
 */
export function giveToOwnerOf(like: string, handle: number): void {
  if (process.geteuid?.() !== 0) return
  const status = statSync(like, { throwIfNoEntry: false })
  if (status !== undefined) fchownSync(handle, status.uid, status.gid)
}

function writeDraft(draft: string, text: string, like: string): void {
  const handle = openSync(draft, 'wx', 0o600)
  try {
    giveToOwnerOf(like, handle)
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
