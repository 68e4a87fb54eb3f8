import { join } from 'node:path'
import { disk } from './embedded/file-layer.ts'
import { LogFiles } from './embedded/log-files.ts'
import { sha256 } from './format/sha256.ts'
import { type VerifyOptions, type VerifyReport, verifyLog } from './verifier.ts'

/** What `verifyDirectory` may be told beside the directory. */
export type VerifyDirectoryOptions = Omit<
  VerifyOptions,
  'read' | 'sha256' | 'verifierKeys' | 'minimumIndex'
> & {
  /** Keys from elsewhere. Those the directory names for itself unless given: then whoever could change the log could change them too. */
  readonly verifierKeys?: readonly string[]
}

/** Verifies the log in a directory, while another process may append to it. */
export function verifyDirectory(
  directory: string,
  options: VerifyDirectoryOptions = {},
): Promise<VerifyReport> {
  const log = new LogFiles(disk, directory)
  return verifyLog({
    ...options,
    verifierKeys: options.verifierKeys ?? log.verifierKeys(),
    minimumIndex: log.minimumIndex(),
    sha256,
    read: async path => disk.read(join(directory, path)),
  })
}
