import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ByteSize,
  type Clock,
  ConfigError,
  type Duration,
  parseByteSize,
  parseDuration,
  type RandomSource,
  StoreError,
  systemClock,
  systemRandom,
  writeProblem,
} from '@postern/core'
import { awaitDirectoryLock, type DirectoryLockWait } from '@postern/store'
import { DirectoryStore } from './embedded/directory-store.ts'
import { EmbeddedLog, type EmbeddedLogLimits } from './embedded/embedded-log.ts'
import { laterFollower } from './embedded/later-follower.ts'
import { refuseLostKeys, SUBJECT_KEYS } from './embedded/lost-keys.ts'
import { KeyStore } from './entry/key-store.ts'
import { disk } from './files/file-layer.ts'
import { INDEX, LogFiles, VERIFIER_KEYS } from './files/log-files.ts'
import { isKeyName } from './format/note.ts'
import { parseVerifierKey } from './format/note-key.ts'
import { AuditIndex } from './index/audit-index.ts'
import type { AuditLog } from './log/audit-log.ts'
import { LogReader } from './reader/log-reader.ts'
import { CheckpointPublisher, type PublisherOptions } from './witness/checkpoint-publisher.ts'

/** Where an embedded log is, its name, and how it is anchored, witnessed and bounded. */
export interface AuditLogOptions extends PublisherOptions {
  /** Directory of the log; created when absent. */
  readonly directory: string
  /** Unique name of the log, forever: a URL without scheme, `shop.example.com/audit`. */
  readonly origin: string
  /**
   * Where signing key and subjects' keys are kept. Default: `<directory>-keys`.
   * Preferably on another disk or mount.
   */
  readonly keyDirectory?: string
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Size of a segment. Default 16mb. */
  readonly segmentSize?: ByteSize
  /** Longest time an entry waits for a checkpoint. Default 1s. */
  readonly publishInterval?: Duration
  /** After which a `commit` that is not durable fails. Default 5s. */
  readonly commitTimeout?: Duration
  /** Most waiting events in durability mode `after`; further ones are lost and counted. Default 16,384. */
  readonly maxWaiting?: number
  /** Most entries that may be durable and unpublished before commits are refused. Default 1,000,000. */
  readonly maxBehind?: number
  /**
   * Age after which the keys of anonymous traffic (addresses, agents, paths without a
   * principal) are destroyed. Default: never.
   */
  readonly forgetAnonymousAfter?: Duration
  /** Whether the process is not ready when the log cannot take entries. Default true. */
  readonly required?: boolean
  /**
   * The operator confirms that the log was rolled back on purpose (restored from a backup): entries that
   * anchors and segments miss are accepted as lost.
   */
  readonly acceptRollback?: boolean
  /** How long to wait for another process that has the log open, e.g. `15s`. Default: not at all. */
  readonly wait?: Duration | undefined
  /** Told once, in a sentence, before such a wait begins. */
  readonly onWait?: DirectoryLockWait['onWait']
  /** Ends such a wait when it is aborted. */
  readonly stop?: DirectoryLockWait['stop']
}

/**
 * Opens the embedded log of a directory for appending, creating it when it is new. One process at a time.
 * @throws StoreError when another process has it open, or the disk refuses
 * @throws IntegrityError when the data on disk was changed, lost, or is older than an anchor's checkpoint
 * @throws ConfigError for options that cannot be used; the reason of `stop`
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { directory, origin, clock = systemClock, random = systemRandom } = options
  const limits = parseLimits(options)
  const keyDirectory = options.keyDirectory ?? `${directory.replace(/\/+$/, '')}-keys`
  makeDirectories(directory, keyDirectory)
  const lock = await awaitDirectoryLock(directory, {
    name: 'audit-log',
    wait: options.wait,
    onWait: options.onWait,
    stop: options.stop,
  })
  const opened: { close(): void }[] = [{ close: () => lock.release() }]
  const release = (): void => {
    for (const part of opened.splice(0).reverse()) part.close()
  }
  try {
    refuseLostKeys(directory, keyDirectory)
    const { port, published } = await laterFollower({
      directory,
      keyDirectory,
      origin,
      ...(options.forgetAnonymousAfter !== undefined && {
        forgetAnonymousAfter: parseDuration(options.forgetAnonymousAfter, 'audit.forgetAnonymousAfter'),
      }),
    })
    try {
      const keys = KeyStore.open(join(keyDirectory, SUBJECT_KEYS), { readOnly: true })
      opened.push(keys)
      const index = AuditIndex.open(join(directory, INDEX), keys, { readOnly: true })
      opened.push(index)
      const reader = new LogReader(new DirectoryStore({ files: disk, directory, keys, index }), [])
      const verifiers = new LogFiles(disk, directory)
        .verifierKeys()
        .map((key, i) => parseVerifierKey(key, `${VERIFIER_KEYS} line ${i + 1}`))
      const publisher = new CheckpointPublisher(options, reader)
      // Before anything is published: an anchor must not receive a checkpoint of a
      // log that it would have refused.
      if (options.acceptRollback === true) publisher.overrule(verifiers, origin)
      else await publisher.check(verifiers, origin)
      const log = await EmbeddedLog.open({
        files: disk,
        directory,
        clock,
        random,
        limits,
        follower: port,
        published,
        reader,
        keys,
        required: options.required ?? true,
        acceptRollback: options.acceptRollback ?? false,
        onPublished: () => void publisher.publish(),
        release: async () => {
          await publisher.settled()
          release()
        },
      })
      if (options.acceptRollback === true)
        await log.commit({ type: 'audit.rollback.accepted', time: clock.now(), actor: {} })
      return log
    } catch (error) {
      await port.close()
      throw error
    }
  } catch (error) {
    release()
    throw error
  }
}

function parseLimits(options: AuditLogOptions): EmbeddedLogLimits {
  if (!isKeyName(options.origin)) {
    throw new ConfigError({
      place: 'audit.origin',
      problem: 'must be a name without spaces or "+"',
      hint: 'e.g. shop.example.com/audit',
    })
  }
  const segmentBytes = parseByteSize(options.segmentSize ?? '16mb', 'audit.segmentSize')
  if (segmentBytes < 4_096)
    throw new ConfigError({ place: 'audit.segmentSize', problem: 'is below 4kb', hint: 'e.g. 16mb' })
  return {
    segmentBytes,
    publishInterval: parseDuration(options.publishInterval ?? '1s', 'audit.publishInterval'),
    commitTimeout: parseDuration(options.commitTimeout ?? '5s', 'audit.commitTimeout'),
    maxWaiting: options.maxWaiting ?? 16_384,
    maxBehind: options.maxBehind ?? 1_000_000,
  }
}

function makeDirectories(...directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw new StoreError(`cannot be created: ${writeProblem(cause)}`, {
        store: `audit log ${directory}`,
        retryable: false,
        cause,
      })
    }
  }
}
