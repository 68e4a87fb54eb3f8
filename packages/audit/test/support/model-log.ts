import { VirtualClock } from '@postern/core'
import { DirectoryStore } from '../../src/embedded/directory-store.ts'
import { EmbeddedLog, type EmbeddedLogLimits } from '../../src/embedded/embedded-log.ts'
import { Follower, type Published } from '../../src/embedded/follower.ts'
import { inlineFollower } from '../../src/embedded/follower-port.ts'
import type { SubjectKeys } from '../../src/entry/key-store.ts'
import type { FileLayer } from '../../src/files/file-layer.ts'
import { generateNoteKey, parseSignerKey, parseVerifierKey } from '../../src/format/note-key.ts'
import { AuditIndex } from '../../src/index/audit-index.ts'
import { LogReader } from '../../src/reader/log-reader.ts'

export const modelOrigin = 'model.example/audit'
const pair = generateNoteKey(modelOrigin)
export const modelVerifierKey: string = pair.verifierKey

export interface ModelLog {
  readonly log: EmbeddedLog
  readonly reader: LogReader
}

/** An embedded log whose disk and keys are the test's, with everything on this thread. */
export async function openModelLog(options: {
  readonly files: FileLayer
  readonly keys: SubjectKeys
  readonly random: () => number
  readonly limits?: Partial<EmbeddedLogLimits>
  readonly onPublished?: (published: Published) => void
}): Promise<ModelLog> {
  const { files, keys, random } = options
  const directory = '/log'
  const index = AuditIndex.open(':memory:', keys)
  const verifiers = [parseVerifierKey(pair.verifierKey)]
  const follower = new Follower({
    files,
    directory,
    origin: modelOrigin,
    signers: [parseSignerKey(pair.signerKey)],
    verifiers,
    keys,
    index,
  })
  const reader = new LogReader(new DirectoryStore({ files, directory, keys, index }), verifiers)
  const log = await EmbeddedLog.open({
    files,
    directory,
    clock: new VirtualClock(),
    random: { bytes: count => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)) },
    limits: {
      segmentBytes: 4_096,
      publishInterval: 3_600_000,
      commitTimeout: 3_600_000,
      maxWaiting: 1_000,
      maxBehind: 100_000,
      ...options.limits,
    },
    follower: inlineFollower(follower),
    published: follower.published,
    reader,
    keys,
    required: true,
    acceptRollback: false,
    ...(options.onPublished !== undefined && { onPublished: options.onPublished }),
    release: () => {},
  })
  return { log, reader }
}
