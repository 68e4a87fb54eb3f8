import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, errorCode, IntegrityError, PosternError, StoreError } from '@postern/core'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { replaceSecretFile } from './secret-file.ts'

/**
 * A step from one layout of the directory to the next. Must be idempotent: a crash in its middle runs it
 * again.
 */
export interface DirectoryUpgrade {
  /** The layout it leads to. */
  readonly to: number
  upgrade(path: string): void
}

/** Whether other processes may use the directory, and the upgrades that an older layout needs. */
export interface DataDirectoryOptions {
  /** The right to take for as long as the directory is open; see `DataDirectory.lock`. None unless given. */
  readonly exclusive?: string
  /** Layout this version writes. Default 1. */
  readonly version?: number
  /** Steps from older layouts, one for each number above 1. */
  readonly upgrades?: readonly DirectoryUpgrade[]
}

/** Says what the directory is, and which layout it has. */
const FORMAT_FILE = 'postern-data.json'
const FORMAT = 'postern-data'
/** The layout that this version writes. */
const CURRENT = 1
/**
 * What an administrator, a file system, or Postern itself may have put into a directory that has no format
 * file yet.
 */
const HARMLESS = /^(?:\.|lost\+found$|gateway\.json$|upgrade\.lock|postern-data\.json)/

/**
 * The directory everything embedded lives in: mode 0700, with a format file, and rights that one process can
 * take.
 */
export class DataDirectory {
  readonly path: string
  readonly version: number
  readonly #locks: DirectoryLock[] = []

  /** Use `openDataDirectory`. */
  constructor(path: string, version: number) {
    this.path = path
    this.version = version
  }

  /**
   * The path of a file or folder directly in the directory.
   * @throws ConfigError when the name would lead anywhere else
   */
  file(name: string): string {
    if (!/^[a-z0-9][\w.-]{0,99}$/i.test(name))
      throw new ConfigError({
        place: `data directory ${this.path}`,
        problem: `"${name.slice(0, 40)}" is not a file name`,
        hint: 'letters, digits, dots, hyphens',
      })
    return join(this.path, name)
  }

  /**
   * Takes a right only one process may have, e.g. to append to the audit log. Released by `close`, or when
   * the process dies.
   * @throws StoreError naming the process that has it
   */
  lock(name: string): DirectoryLock {
    this.file(name)
    const lock = lockDirectory(this.path, { name })
    this.#locks.push(lock)
    return lock
  }

  /** Gives every right back; files opened in it stay open. */
  close(): void {
    for (const lock of this.#locks.splice(0)) lock.release()
  }
}

/**
 * Opens the data directory, creating it (mode 0700) or upgrading an older layout first.
 * @throws StoreError when it belongs to another user, cannot be written, was written by a later version, or
 * `exclusive` is taken
 * @throws ConfigError when it holds something that is not Postern's
 * @throws IntegrityError when its format file is damaged
 */
export function openDataDirectory(path: string, options: DataDirectoryOptions = {}): DataDirectory {
  const directory = resolve(path)
  const version = options.version ?? CURRENT
  const store = `data directory ${directory}`
  try {
    makeDirectory(directory)
    keepPrivate(directory, store)
    if (readVersion(directory, store) !== version) upgrade(directory, store, version, options.upgrades ?? [])
    keepOutOfRepositories(directory)
    const opened = new DataDirectory(directory, version)
    if (options.exclusive !== undefined) opened.lock(options.exclusive)
    return opened
  } catch (error) {
    throw fileError(error, store)
  }
}

/**
 * Level by level: on file systems that take no directories, as `/proc`, making all of them at once does not
 * end (libuv asks for the parent again and again).
 */
function makeDirectory(directory: string): void {
  const missing: string[] = []
  for (let at = directory; !existsSync(at); at = dirname(at)) missing.push(at)
  for (const path of missing.reverse()) {
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      // Another process was quicker.
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
  // Fails when something other than a directory stands there.
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}

/**
 * The directory holds keys and personal data, and usually stands in a project: `git add -A` must not take it.
 */
function keepOutOfRepositories(directory: string): void {
  try {
    writeFileSync(
      join(directory, '.gitignore'),
      '# Keys and personal data: never part of a repository.\n*\n',
      {
        flag: 'wx',
        mode: 0o600,
      },
    )
  } catch (error) {
    // One that is there already is the operator's.
    if (errorCode(error) !== 'EEXIST') throw error
  }
}

/** Refuses what another user prepared for us, and closes what others could look into. */
function keepPrivate(directory: string, store: string): void {
  const { uid, mode } = statSync(directory)
  const own = process.geteuid?.()
  if (own !== undefined && own !== 0 && uid !== own) {
    throw new StoreError(
      `belongs to user ${uid}, and Postern runs as user ${own}; give it a directory of its own`,
      {
        store,
        retryable: false,
      },
    )
  }
  if ((mode & 0o077) !== 0 && process.platform !== 'win32' && isPosterns(directory, store))
    chmodSync(directory, 0o700)
}

function isPosterns(directory: string, store: string): boolean {
  if (existsSync(join(directory, FORMAT_FILE))) return true
  const foreign = readdirSync(directory).find(name => !HARMLESS.test(name))
  if (foreign === undefined) return true
  throw new ConfigError({
    place: store,
    problem: `holds "${foreign.slice(0, 60)}" and is not a Postern data directory`,
    hint: 'name a new or empty directory',
  })
}

/** The layout of the directory; 0 when it is new. */
function readVersion(directory: string, store: string): number {
  const file = join(directory, FORMAT_FILE)
  if (!existsSync(file)) {
    isPosterns(directory, store)
    return 0
  }
  const version = parseFormat(readFileSync(file, 'utf8'))
  if (version !== undefined) return version
  throw new IntegrityError(`${store}: ${FORMAT_FILE} is damaged; restore it from a backup of the directory`)
}

function parseFormat(text: string): number | undefined {
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content !== 'object' || content === null) return undefined
    const { format, version } = content as { readonly format?: unknown; readonly version?: unknown }
    return format === FORMAT && Number.isSafeInteger(version) && Number(version) > 0
      ? Number(version)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Checks what is in an existing data directory, and changes nothing.
 * @throws as `openDataDirectory` would for its content
 */
export function checkDataContent(path: string, version: number = CURRENT): void {
  const directory = resolve(path)
  const store = `data directory ${directory}`
  try {
    refuseLater(readVersion(directory, store), version, store)
  } catch (error) {
    throw fileError(error, store)
  }
}

function refuseLater(found: number, version: number, store: string): void {
  if (found > version)
    throw new StoreError(
      `was written by a later version of Postern (layout ${found}, this one knows ${version}); ` +
        'start that version, or restore the backup made before the upgrade',
      { store, retryable: false },
    )
}

function upgrade(
  directory: string,
  store: string,
  version: number,
  upgrades: readonly DirectoryUpgrade[],
): void {
  const lock = lockDirectory(directory, { name: 'upgrade', wait: '30s' })
  try {
    // Read again under the lock: an instance that started together with this one may have been first.
    const found = readVersion(directory, store)
    refuseLater(found, version, store)
    if (found === 0) writeVersion(directory, version)
    for (let to = found + 1; found > 0 && to <= version; to++) {
      const step = upgrades.find(candidate => candidate.to === to)
      if (step === undefined) {
        throw new StoreError(
          `has layout ${to - 1}, which this version cannot upgrade; use an earlier one first`,
          {
            store,
            retryable: false,
          },
        )
      }
      step.upgrade(directory)
      writeVersion(directory, to)
    }
  } finally {
    lock.release()
  }
}

/**
 * Replaces the format file in one step that survives a power failure: it is the old one or the new one, never
 * half.
 */
function writeVersion(directory: string, version: number): void {
  replaceSecretFile(join(directory, FORMAT_FILE), `${JSON.stringify({ format: FORMAT, version })}\n`)
}

const ELSEWHERE = 'use another one, or dataDirectory: false, which writes nothing'

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be made there: that file system takes no directories',
  EACCES: `cannot be read and written by the user Postern runs as; make it theirs (chown), or ${ELSEWHERE}`,
  EPERM: `cannot be read and written by the user Postern runs as; make it theirs (chown), or ${ELSEWHERE}`,
  EROFS: `is on a read-only file system; ${ELSEWHERE}`,
  ENOSPC: 'is on a full disk; free some space',
  EDQUOT: 'is over the disk quota of the user Postern runs as; free some space, or raise the quota',
  EMFILE: 'cannot be opened: the process may open no more files; raise ulimit -n, or LimitNOFILE= of systemd',
  ENOTDIR: 'is a file, or lies below one',
  EEXIST: 'is a file, not a directory',
}

function fileError(error: unknown, store: string): unknown {
  if (error instanceof PosternError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  const problem = FILE_PROBLEMS[code] ?? `cannot be opened (${code})`
  return new StoreError(problem, { store, retryable: code === 'ENOSPC' || code === 'EDQUOT', cause: error })
}
