import { parentPort, workerData } from 'node:worker_threads'
import { ConfigError } from '@postern/core'
import { FailingWorker } from './failing-worker.ts'
import { countedWord, type FromWorker, type ToWorker, type WorkerStart } from './worker-messages.ts'
import { beat } from './worker-pulse.ts'

/** What a worker does on request. */
export interface WorkerDuties {
  /**
   * A new configuration: build an engine and swap it in. What throws leaves the old one in force, and the
   * cause is reported.
   */
  reload(data: unknown): void | Promise<void>
  /**
   * Finish what is under way within the grace, in milliseconds. The thread ends afterwards.
   * @param linger milliseconds for the last request of connections that are kept
   */
  stop(grace: number, linger: number): Promise<void>
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
  /**
   * Set when this worker replaces one that had been reloaded: begin with this configuration, not with the
   * first.
   */
  readonly reloaded: { readonly data: unknown } | undefined
  /** For `GatewayOptions.underWay`, so that what is lost when this thread ends is counted. */
  readonly underWay: Int32Array
  /**
   * One word that this worker may count up with what it made for the main thread. `WorkersOptions.onEnd` gets
   * it when the thread is gone, however it ended: what was made and never arrived is the difference.
   */
  readonly made: Int32Array
  /** The `workerData` that `startWorkers` was given. */
  readonly data: Data
  /**
   * Resolves when the main thread is ready for this worker (`WorkersOptions.begin`): until then load what is
   * needed, and hold the port.
   */
  readonly begun: Promise<void>
  /**
   * Takes up the duties and reports that this worker listens. From then on an uncaught error does not
   * end the thread at once: another takes its place, and requests under way finish first.
   */
  ready(duties: WorkerDuties): void
  /** To the main thread's `onMessage`. */
  send(data: unknown): void
}

/**
 * Called once by the entry of a worker.
 *
 * ```ts
 * const link = workerLink<{ port: number }>()
 * const listen = { port: link.data.port, reusePort: link.reusePort }
 * const gateway = await startGateway({ engine, upstream, listen, underWay: link.underWay })
 * link.ready({
 *   reload: data => gateway.swap(build(data)),
 *   stop: (grace, linger) => gateway.close({ grace, linger }),
 * })
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
    throw new ConfigError({
      place: 'workerLink',
      problem: 'this thread was not started by startWorkers',
      hint: 'call it in the module that startWorkers is given',
    })
  const { posternWorker, data } = workerData as WorkerStart
  const { index, count, reusePort, reloaded, counted } = posternWorker
  beat(countedWord(counted, 'beats'))
  const send = (message: FromWorker): void => port.postMessage(message)
  const begun = Promise.withResolvers<void>()
  let duties: WorkerDuties | undefined
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'begin':
        begun.resolve()
        break
      case 'message':
        duties?.message?.(message.data)
        break
      case 'reload':
        void reload(duties, message.data).then(problem => send({ kind: 'reloaded', id: message.id, problem }))
        break
      case 'stop':
        void duties?.stop(message.grace, message.linger).finally(() => port.close())
    }
  })
  return {
    ...{ index, count, reusePort, reloaded },
    underWay: countedWord(counted, 'underWay'),
    made: countedWord(counted, 'made'),
    data: data as Data,
    begun: begun.promise,
    send: message => send({ kind: 'message', data: message }),
    ready: taken => {
      duties = taken
      const failing = new FailingWorker({
        report: problem => send({ kind: 'failing', problem }),
        stop: (grace, linger) => taken.stop(grace, linger),
        exit: () => process.exit(1),
      })
      process.on('uncaughtException', error => failing.failed(error))
      send({ kind: 'ready' })
    },
  }
}

async function reload(duties: WorkerDuties | undefined, data: unknown): Promise<string | undefined> {
  try {
    await duties?.reload(data)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'the reload threw a value that is not an error'
  }
}
