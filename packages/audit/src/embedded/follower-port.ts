import { Worker } from 'node:worker_threads'
import { IntegrityError, StoreError } from '@postern/core'
import type { Follower, Published } from './follower.ts'
import type { FollowerPlace } from './open-follower.ts'

/** The follower, wherever it runs. One call at a time. */
export interface FollowerPort {
  /** @param now epoch milliseconds */
  follow(size: number, now: number): Promise<Published>
  close(): Promise<void>
}

/** Runs the follower on this thread: for tests, which need a fixed order. */
export function inlineFollower(follower: Follower): FollowerPort {
  return {
    follow: async (size, now) => follower.follow(size, now),
    close: async () => follower.close(),
  }
}

/** From the log to the thread. */
export type FollowerRequest = { readonly follow: number; readonly now: number } | { readonly close: true }

/** From the thread to the log; the first one says that it is ready. */
export type FollowerReply =
  | { readonly published: Published }
  | { readonly closed: true }
  | { readonly failed: string; readonly integrity: boolean }

/**
 * Runs the follower on a thread of its own, so that hashing, sealing and indexing do not delay requests.
 * @throws IntegrityError, StoreError when it cannot resume the log
 */
export async function threadFollower(
  place: FollowerPlace,
): Promise<{ readonly port: FollowerPort; readonly published: Published }> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./follower-thread.${extension}`, import.meta.url), { workerData: place })
  const store = `audit log ${place.directory}`
  let dead: Error | undefined
  let settle: { resolve(reply: FollowerReply): void; reject(error: Error): void } | undefined
  // The process stays alive for an answer that somebody waits for, and for nothing else: an application that
  // never closes its layer ends all the same. A listener that is added refers to the thread again.
  worker.on('message', (reply: FollowerReply) => {
    worker.unref()
    settle?.resolve(reply)
  })
  worker.on('error', error => {
    dead = new StoreError('the thread that publishes entries died', { store, retryable: false, cause: error })
    settle?.reject(dead)
  })
  worker.on('exit', () => {
    dead ??= new StoreError('the thread that publishes entries ended', { store, retryable: false })
    settle?.reject(dead)
  })
  const reply = (): Promise<FollowerReply> =>
    new Promise((resolve, reject) => {
      if (dead !== undefined) return reject(dead)
      worker.ref()
      settle = { resolve, reject }
    })
  const published = (message: FollowerReply): Published => {
    if ('published' in message) return message.published
    const text = 'failed' in message ? message.failed : 'closed'
    if ('integrity' in message && message.integrity) throw new IntegrityError(text)
    throw new StoreError(text, { store, retryable: true })
  }
  const ask = (request: FollowerRequest): Promise<FollowerReply> => {
    const answer = reply()
    worker.postMessage(request)
    return answer
  }
  const first = published(await reply())
  return {
    published: first,
    port: {
      follow: async (size, now) => published(await ask({ follow: size, now })),
      async close() {
        await ask({ close: true }).catch(() => {})
        await worker.terminate()
      },
    },
  }
}
