import { join } from 'node:path'
import { KeyStore } from '../entry/key-store.ts'
import { disk } from '../files/file-layer.ts'
import { INDEX, LogFiles } from '../files/log-files.ts'
import { AuditIndex } from '../index/audit-index.ts'
import type { Published } from './follower.ts'
import { type FollowerPort, threadFollower } from './follower-port.ts'
import { SUBJECT_KEYS } from './lost-keys.ts'
import { type FollowerPlace, openFollowerAt } from './open-follower.ts'
import { TenantNumbers } from './tenant-numbers.ts'

/** Entries that this thread indexes at the start: more keep it for longer than the other needs to start. */
const SOON_INDEXED = 1_024
/** As above, of entries whose numbers alone are read. */
const SOON_NUMBERED = 10_000

/** A follower that resumed a log, and how far the tree of that had come. */
export interface ResumedFollower {
  readonly port: FollowerPort
  readonly published: Published
}

/**
 * Resumes the log on this thread and starts the follower's own thread when there is something to publish: a
 * thread takes 20 MB and a tenth of a second, and many applications run for long before anything is
 * recorded. Where the index must be rebuilt, which takes long, the thread starts at once. A thread that
 * could not start is started again with the next call.
 * @throws IntegrityError, StoreError when the log cannot be resumed
 */
export async function laterFollower(place: FollowerPlace): Promise<ResumedFollower> {
  if (isLong(place)) return await threadFollower(place)
  const { follower, close } = openFollowerAt(place)
  const { published } = follower
  close()
  let starting: Promise<FollowerPort> | undefined
  const start = async (): Promise<FollowerPort> => {
    try {
      return (await threadFollower(place)).port
    } catch (error) {
      starting = undefined
      throw error
    }
  }
  return {
    published,
    port: {
      async follow(size, now) {
        starting ??= start()
        return await (await starting).follow(size, now)
      },
      async close() {
        const port = await starting?.catch(() => undefined)
        await port?.close()
      },
    },
  }
}

/** Whether many published entries must be read at the start: after a crash, or when a file was removed. */
function isLong({ directory, keyDirectory }: FollowerPlace): boolean {
  const log = new LogFiles(disk, directory)
  const size = Number(log.checkpoint()?.split('\n', 2)[1] ?? 0)
  if (size === 0) return false
  if (TenantNumbers.behind(log, size) > SOON_NUMBERED) return true
  const keys = KeyStore.open(join(keyDirectory, SUBJECT_KEYS))
  try {
    const index = AuditIndex.open(join(directory, INDEX), keys)
    const missing = size - index.size
    index.close()
    return missing > SOON_INDEXED
  } finally {
    keys.close()
  }
}
