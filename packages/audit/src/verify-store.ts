import { DirectoryStore } from './embedded/directory-store.ts'
import { disk } from './files/file-layer.ts'
import { sha256 } from './format/sha256.ts'
import type { LogStore } from './reader/log-store.ts'
import { type VerifyOptions, type VerifyReport, verifyLog } from './verifier.ts'

/** Options of a verification, beside the place of the log. */
export type VerifyStoreOptions = Omit<VerifyOptions, 'read' | 'sha256' | 'verifierKeys' | 'minimumIndex'> & {
  /**
   * Keys from elsewhere. Default: those that the log itself names, which whoever
   * could change the log could change too.
   */
  readonly verifierKeys?: readonly string[]
  /** Stops the verification: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Files read between two turns of the event loop, in which a signal is heard. */
const READS = 64

/** Verifies a log where it is kept, while another process may append to it: `reader.store` of any reader. */
export async function verifyStore(store: LogStore, options: VerifyStoreOptions = {}): Promise<VerifyReport> {
  const { signal, ...rest } = options
  let reads = 0
  return verifyLog({
    ...rest,
    verifierKeys: options.verifierKeys ?? (await store.verifierKeys()),
    minimumIndex: await store.minimumIndex(),
    sha256,
    read: async path => {
      if (++reads % READS === 0) await new Promise<void>(resolve => setImmediate(resolve))
      signal?.throwIfAborted()
      return await store.raw(path)
    },
  })
}

/** Verifies the log in a directory, while another process may append to it. */
export function verifyDirectory(directory: string, options: VerifyStoreOptions = {}): Promise<VerifyReport> {
  const store = new DirectoryStore({ files: disk, directory, keys: undefined, index: undefined })
  return verifyStore(store, options)
}
