import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import { DirectoryStore } from './embedded/directory-store.ts'
import { entriesWaiting } from './embedded/entries-waiting.ts'
import { KeyStore } from './entry/key-store.ts'
import { disk } from './files/file-layer.ts'
import { INDEX, LogFiles } from './files/log-files.ts'
import type { NoteVerifier } from './format/note.ts'
import { parseVerifierKey } from './format/note-key.ts'
import { AuditIndex } from './index/audit-index.ts'
import { LogReader } from './reader/log-reader.ts'
import type { LogStore } from './reader/log-store.ts'

/** Which keys a reader trusts, and where it finds the keys of subjects. */
export interface ReadAuditLogOptions {
  /** As in `openAuditLog`; without a readable key directory personal parts stay sealed. */
  readonly keyDirectory?: string
  /**
   * Keys that may have signed the checkpoint. Default: those that the directory itself names,
   * which is enough to read, but not to trust.
   */
  readonly verifierKeys?: readonly string[]
  /**
   * Whether the keys of subjects and the index are opened. Default true; without them nothing can be searched
   * and personal parts stay sealed. They may be of an earlier version before the log is opened for appending,
   * and empty after a first start that was killed.
   */
  readonly searches?: boolean
}

/** A reader of a log, to be closed. */
export class AuditLogReader extends LogReader {
  readonly #close: () => void
  readonly #waiting: (size: number) => number | undefined

  constructor(
    store: LogStore,
    verifiers: readonly NoteVerifier[],
    close: () => void,
    waiting: (size: number) => number | undefined = () => undefined,
  ) {
    super(store, verifiers)
    this.#close = close
    this.#waiting = waiting
  }

  /**
   * How many entries are written and not in the tree yet, where a log in a directory says so: a running
   * process publishes them within a second, and after a crash the next start does.
   * @param size of the tree, e.g. as it was verified
   */
  waiting(size: number): number | undefined {
    return this.#waiting(size)
  }

  /** Closes what it opened. */
  close(): void {
    this.#close()
  }
}

/**
 * Reads the log in a directory, while another process may append to it. Takes no lock and changes nothing.
 * Only searches fail where the index is damaged.
 * @throws StoreError when index or keys cannot be opened
 * @throws ConfigError for a malformed verifier key
 */
export function readAuditLog(directory: string, options: ReadAuditLogOptions = {}): AuditLogReader {
  const keyDirectory = options.keyDirectory ?? `${directory.replace(/\/+$/, '')}-keys`
  const keyFile = join(keyDirectory, 'subjects.db')
  const keys =
    options.searches !== false && existsSync(keyFile) ? KeyStore.open(keyFile, { readOnly: true }) : undefined
  const indexFile = join(directory, INDEX)
  const index = keys !== undefined && existsSync(indexFile) ? openIndex(indexFile, keys) : undefined
  const named = options.verifierKeys ?? new LogFiles(disk, directory).verifierKeys()
  const verifiers = named.map(key => parseVerifierKey(key))
  const isUsable = index instanceof AuditIndex
  const store = new DirectoryStore({
    files: disk,
    directory,
    keys,
    index: isUsable ? index : undefined,
    ...(index instanceof IntegrityError && { indexProblem: index }),
  })
  const close = (): void => {
    if (isUsable) index.close()
    keys?.close()
  }
  return new AuditLogReader(store, verifiers, close, size => entriesWaiting(disk, directory, size))
}

/** The index, or what is wrong with it: whoever does not search, as to verify the log, needs none. */
function openIndex(path: string, keys: KeyStore): AuditIndex | IntegrityError {
  try {
    return AuditIndex.open(path, keys, { readOnly: true })
  } catch (error) {
    if (error instanceof IntegrityError) return error
    throw error
  }
}
