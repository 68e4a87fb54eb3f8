import { constants, getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { IntegrityError } from '@postern/core'
import { AuditIndex } from '../index/audit-index.ts'
import { KeyStore } from '../key-store.ts'
import { disk } from './file-layer.ts'
import type { FollowerReply, FollowerRequest, FollowerThreadData } from './follower-port.ts'
import { INDEX } from './log-files.ts'
import { openFollower } from './open-follower.ts'

/** Steps of priority (nice) that this thread stands behind those that answer requests. */
const BEHIND = 10

// Publishing is work of milliseconds at a time and nobody waits for it: without this it made one in a hundred
// answers of a busy process late. Only Linux has a priority per thread; elsewhere it is the whole process's.
if (process.platform === 'linux') {
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + BEHIND))
  } catch {
    // A sandbox forbids it: publishing competes with requests then.
  }
}

const data = workerData as FollowerThreadData

function reply(message: FollowerReply): void {
  parentPort?.postMessage(message)
}

function failure(error: unknown): FollowerReply {
  return {
    failed: error instanceof Error ? error.message : 'failed',
    integrity: error instanceof IntegrityError,
  }
}

try {
  const keys = KeyStore.open(join(data.keyDirectory, 'subjects.db'))
  const index = AuditIndex.open(join(data.directory, INDEX), keys)
  const follower = openFollower({ ...data, files: disk, keys, index })
  parentPort?.on('message', (request: FollowerRequest) => {
    try {
      if ('close' in request) {
        follower.close()
        keys.close()
        reply({ closed: true })
      } else reply({ published: follower.follow(request.follow, request.now) })
    } catch (error) {
      reply(failure(error))
    }
  })
  reply({ published: follower.published })
} catch (error) {
  reply(failure(error))
}
