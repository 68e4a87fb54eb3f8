import { isMainThread } from 'node:worker_threads'

/**
 * What to write where this process is one of several of the same application, which all have the same
 * configuration; undefined where it is not. "Stop the other" would be wrong there: the other is its sibling.
 * @param holder number of the process that has what both want
 */
export function workerAdvice(holder: number | undefined): string | undefined {
  const worker = workerKind(holder)
  if (worker === undefined) return undefined
  const { name, id, first } = worker
  return (
    `this process is one of several workers of ${name}, and each needs its own: ${first}write dataDirectory: ` +
    `\`.postern/\${${id}}\` and stores: { redis: '...' }, or keep one log for all with audit: { store: 'postgres' } ` +
    'and stores: { postgres: \'...\' } (docs/adapters.md, "Run several processes")'
  )
}

interface WorkerKind {
  /** What started this process as a worker. */
  readonly name: string
  /** The expression that tells workers apart. */
  readonly id: string
  /** What must be done before that expression has a value. */
  readonly first: string
}

function workerKind(holder: number | undefined): WorkerKind | undefined {
  // Where another process has it, this thread has no sibling to make room for.
  if (!isMainThread && holder === process.pid)
    return {
      name: 'node:worker_threads',
      id: 'process.env.WORKER',
      first: 'start each with new Worker(file, { env: { ...process.env, WORKER: number } }), ',
    }
  const { NODE_APP_INSTANCE, NODE_UNIQUE_ID } = process.env
  if (NODE_APP_INSTANCE !== undefined) return { name: 'pm2', id: 'process.env.NODE_APP_INSTANCE', first: '' }
  // Node removes NODE_UNIQUE_ID from the environment of a worker before the first line of the application.
  if (isClusterWorker() || NODE_UNIQUE_ID !== undefined)
    return {
      name: 'node:cluster',
      // Not cluster.worker.id: the successor of a worker has another, and would leave its directory behind.
      id: 'process.env.WORKER',
      first: 'start each with cluster.fork({ WORKER: number }), its successor with the same number, and ',
    }
  return undefined
}

/** Loaded when it is needed: it brings sockets and child processes along. */
function isClusterWorker(): boolean {
  const cluster: object = process.getBuiltinModule('node:cluster')
  return 'isWorker' in cluster && cluster.isWorker === true
}
