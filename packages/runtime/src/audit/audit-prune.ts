import { Worker } from 'node:worker_threads'
import type { Retained } from '@postern/audit'

/** What the thread is to do. */
export interface PruneTask {
  /** Of the embedded log. */
  readonly directory: string
  /** Epoch milliseconds. */
  readonly before: number
}

/**
 * Removes old entries of the embedded log in a thread of its own, for reading them takes time that requests
 * need.
 */
export function pruneInThread(task: PruneTask): Promise<Retained> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./audit-prune-thread.${extension}`, import.meta.url), {
    workerData: task,
  })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`ended with code ${code}`)))
  })
}
