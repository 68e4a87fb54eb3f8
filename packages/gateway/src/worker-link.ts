import { parentPort, workerData } from 'node:worker_threads'
import { ConfigError } from '@postern/core'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

/** What a worker does on request. */
export interface WorkerDuties {
  /** A new configuration: build an engine and swap it in. What throws leaves the old one in force, and the cause is reported. */
  reload(data: unknown): void | Promise<void>
  /** Finish what is under way within the grace, in milliseconds. The thread ends afterwards. */
  stop(grace: number): Promise<void>
  /** A message of the main thread or another worker. */
  message?(data: unknown): void
}

/** A worker's side of the connection to the main thread. */
export interface WorkerLink<Data> {
  /** From 0; the same after a restart. */
  readonly index: number
  readonly count: number
  /** Whether to listen with `reusePort`. */
  readonly reusePort: boolean
  /** Set when this worker replaces one that had been reloaded: begin with this configuration, not with the first. */
  readonly reloaded: { readonly data: unknown } | undefined
  /** The `workerData` that `startWorkers` was given. */
  readonly data: Data
  /** Takes up the duties and tells that this worker listens. */
  ready(duties: WorkerDuties): void
  /** To the main thread's `onMessage`. */
  send(data: unknown): void
}

/**
 * Called once by the entry of a worker.
 *
 * ```ts
 * const link = workerLink<{ port: number }>()
 * const gateway = await startGateway({ engine, upstream, listen: { port: link.data.port, reusePort: link.reusePort } })
 * link.ready({ reload: data => gateway.swap(build(data)), stop: grace => gateway.close({ grace }) })
 * ```
 * @throws ConfigError outside of a worker started by `startWorkers`
 */
export function workerLink<Data>(): WorkerLink<Data> {
  const port = parentPort
  if (
    port === null ||
    typeof workerData !== 'object' ||
    workerData === null ||
    !('posternWorker' in workerData)
  )
    throw new ConfigError({ place: 'workerLink', problem: 'this thread was not started by startWorkers' })
  const { posternWorker, data } = workerData as WorkerStart
  const send = (message: FromWorker): void => port.postMessage(message)
  return {
    ...posternWorker,
    data: data as Data,
    send: message => send({ kind: 'message', data: message }),
    ready: duties => {
      port.on('message', (message: ToWorker) => {
        switch (message.kind) {
          case 'message':
            duties.message?.(message.data)
            break
          case 'reload':
            void reload(duties, message.data).then(problem =>
              send({ kind: 'reloaded', id: message.id, problem }),
            )
            break
          case 'stop':
            void duties.stop(message.grace).finally(() => port.close())
        }
      })
      send({ kind: 'ready' })
    },
  }
}

async function reload(duties: WorkerDuties, data: unknown): Promise<string | undefined> {
  try {
    await duties.reload(data)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'the reload threw a value that is no error'
  }
}
