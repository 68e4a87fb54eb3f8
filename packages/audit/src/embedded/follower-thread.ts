import { constants, getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { IntegrityError } from '@postern/core'
import { followProblem } from './follow-problem.ts'
import type { FollowerReply, FollowerRequest } from './follower-port.ts'
import { type FollowerPlace, openFollowerAt } from './open-follower.ts'

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

function reply(message: FollowerReply): void {
  parentPort?.postMessage(message)
}

function failure(error: unknown): FollowerReply {
  return {
    failed: followProblem(error),
    integrity: error instanceof IntegrityError,
  }
}

try {
  const { follower, close } = openFollowerAt(workerData as FollowerPlace)
  parentPort?.on('message', (request: FollowerRequest) => {
    try {
      if ('close' in request) {
        close()
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
