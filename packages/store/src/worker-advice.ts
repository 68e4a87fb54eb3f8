/**
 * What to write where this process is one of several of the same application, which all have the same
 * configuration; undefined where it is not. "Stop the other" would be wrong there: the other is its sibling.
 */
export function workerAdvice(): string | undefined {
  const worker = workerKind()
  if (worker === undefined) return undefined
  const { name, id } = worker
  return (
    `this process is one of several workers of ${name}, and each needs its own: write dataDirectory: ` +
    `\`.postern/\${${id}}\` and stores: { redis: '...' }, or keep one log for all with audit: { store: 'postgres' } ` +
    'and stores: { postgres: \'...\' } (docs/adapters.md, "Run several processes")'
  )
}

/** The name of what started this process as a worker, and the expression that tells workers apart. */
function workerKind(): { readonly name: string; readonly id: string } | undefined {
  const { NODE_APP_INSTANCE, NODE_UNIQUE_ID } = process.env
  if (NODE_APP_INSTANCE !== undefined) return { name: 'pm2', id: 'process.env.NODE_APP_INSTANCE' }
  // Node removes NODE_UNIQUE_ID from the environment of a worker before the first line of the application.
  if (isClusterWorker() || NODE_UNIQUE_ID !== undefined)
    return { name: 'node:cluster', id: 'cluster.worker.id' }
  return undefined
}

/** Loaded when it is needed: it brings sockets and child processes along. */
function isClusterWorker(): boolean {
  const cluster: object = process.getBuiltinModule('node:cluster')
  return 'isWorker' in cluster && cluster.isWorker === true
}
